"""Name the sounds in a recording, and when they are heard."""

"""audio-reader: the sound of a recording, and the windows in which somebody speaks."""

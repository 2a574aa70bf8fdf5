"""Read what is to be enrolled, and add it once."""

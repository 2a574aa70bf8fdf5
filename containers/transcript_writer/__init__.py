"""Join the windows of a recording into one transcript: JSON, subtitles and plain text."""

"""Tasks of the transcript machine that decode nothing: the recording says what is heard in it."""

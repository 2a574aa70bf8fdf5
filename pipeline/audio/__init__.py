"""Decode untrusted recordings to samples within limits, and read and write our own FLAC."""

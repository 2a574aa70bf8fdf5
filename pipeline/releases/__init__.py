"""Releases: what images and zips hold, the content of each version, and signed evidence."""

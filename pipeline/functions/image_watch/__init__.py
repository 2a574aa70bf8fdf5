"""Looks after the images that are live: scanned again every week, and missed by no new finding."""

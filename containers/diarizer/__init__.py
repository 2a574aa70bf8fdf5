"""Find who speaks when in one part of a recording."""

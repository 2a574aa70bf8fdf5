"""Tasks of the faces machine that look at nothing: the photo says who is in it."""

"""Find the vector of each face in a photo."""

"""The containers as real images, without Docker: built with buildah, entered with bubblewrap."""

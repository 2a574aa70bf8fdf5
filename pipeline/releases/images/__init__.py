"""Container images, built and started without Docker."""

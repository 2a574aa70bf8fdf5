"""Build and enter container images without Docker."""

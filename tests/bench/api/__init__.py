"""`make bench-api`: what the HTTP API adds to a request, to a start, and to a photo."""

"""ReadReason: explain why an update of a container's stack failed."""

"""ReadReason: why an update of a container's stack did not last."""

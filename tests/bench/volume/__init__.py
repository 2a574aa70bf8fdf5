"""`make bench-volume`: many small photos through the local cloud, and a million in the model."""

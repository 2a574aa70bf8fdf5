"""Model weights: what is staged, verified copies of it, and the web behind a proxy."""

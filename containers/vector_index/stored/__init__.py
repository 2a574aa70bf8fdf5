"""What a collection is in S3: its head, segments and tombstones, and their places."""

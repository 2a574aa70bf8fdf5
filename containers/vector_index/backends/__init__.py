"""Where the rows of a collection are: in segments, or in Amazon S3 Vectors."""

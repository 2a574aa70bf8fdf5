"""Check form uploads and presigned requests as S3 does, before moto, which accepts all of them."""

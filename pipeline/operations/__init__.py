"""Find, rerun and audit jobs on the local cloud or on AWS, through AWS's public API."""

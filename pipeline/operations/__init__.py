"""What an operator does with jobs, on the local cloud or on AWS, through AWS's public API."""

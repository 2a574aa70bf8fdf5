"""The AWS services a container talks to: the only boto3 in an image."""

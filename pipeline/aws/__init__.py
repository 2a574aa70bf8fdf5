"""Clients of the AWS services that containers call: the only boto3 in an image."""

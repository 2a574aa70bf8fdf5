"""The platform's small Lambda functions: zips for Python 3.13 that need only the runtime's boto3.

They exist before any image does, so they cannot be containers. Each folder has a thin `handler`,
the `contract` of its input and result, and pure modules that decide.
"""

"""The platform's own small functions: zips for Lambda's Python 3.13, with nothing but its boto3.

They have to be there before any image is, so they are no containers. Each folder has a thin
`handler`, the `contract` it answers by, and its policy in pure modules beside it.
"""

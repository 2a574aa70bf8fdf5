"""The local cloud: the platform in one process on 127.0.0.1, without an AWS account or Docker."""

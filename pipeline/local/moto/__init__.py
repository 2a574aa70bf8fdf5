"""Moto with patches: the local cloud's S3, EventBridge, SQS, DynamoDB and Step Functions."""

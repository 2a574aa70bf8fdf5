"""Answer HTTP requests as Amazon API Gateway's HTTP API does, with a Lambda function."""

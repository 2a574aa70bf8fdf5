"""Define the deployment on AWS with CDK: stacks by lifetime, derived from the declared files."""

"""AWS Batch of the local cloud: jobs are processes of this computer."""

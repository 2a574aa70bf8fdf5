"""One user's local cloud: choose a model, stage its weights, run a batch, watch executions."""

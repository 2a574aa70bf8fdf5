"""One person's local cloud: choose a model, stage it, run a batch, watch it."""

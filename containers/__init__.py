"""One folder per container: one model family or one step, one image, one version of its own."""

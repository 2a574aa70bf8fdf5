"""What the platform costs, beside bare onnxruntime on the same tensor in the same run."""

"""Convert PyTorch checkpoints to ONNX: read them as plain values, and rebuild the network."""

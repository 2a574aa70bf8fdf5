"""Convert published weights to ONNX: read them as plain values, and rebuild the network."""

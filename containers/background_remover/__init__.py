"""Predict which pixels of a photo belong to its subject: one image, one function per model."""

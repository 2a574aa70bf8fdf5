"""Predicts which pixels of a photo belong to its subject. One image, one function per model."""

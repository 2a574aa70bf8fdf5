"""Remove noise from a recording with DeepFilterNet."""

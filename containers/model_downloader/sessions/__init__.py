"""Measure how a network is best opened, in processes like those of its function."""

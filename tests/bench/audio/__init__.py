"""Measure what recordings cost, next to the tools that people know."""

"""Turns whatever started an execution into one job, or refuses it by name."""

"""Scan live images again every day and count their critical findings."""

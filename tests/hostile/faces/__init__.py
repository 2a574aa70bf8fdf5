"""Hostile photos and requests for the product faces."""

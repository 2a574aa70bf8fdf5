"""Slips in the cutout machine. It keeps the rules of every machine and of product machines."""

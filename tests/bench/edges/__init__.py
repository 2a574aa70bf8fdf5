"""Edges against a truth that is known: subjects drawn or measured, on real photos."""

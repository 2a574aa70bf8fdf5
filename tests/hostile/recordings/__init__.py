"""Hostile and odd recordings: each is read in a process of its own, and has one named end."""

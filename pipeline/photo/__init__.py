"""Untrusted bytes to pixels and back, within limits."""

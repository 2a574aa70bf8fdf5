"""Decode untrusted photo bytes to pixels within limits, and encode pixels."""

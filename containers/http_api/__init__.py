"""Answers over HTTP what the platform offers."""

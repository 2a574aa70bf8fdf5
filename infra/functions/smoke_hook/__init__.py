"""The pre-traffic hook of every function: a golden event for the new version, before any photo."""

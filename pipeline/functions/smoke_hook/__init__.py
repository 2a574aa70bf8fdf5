"""The pre-traffic hook of every function: a golden event for a version that is to take over."""

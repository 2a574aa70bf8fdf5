"""Check an account and a stage: what `matteline doctor` finds."""

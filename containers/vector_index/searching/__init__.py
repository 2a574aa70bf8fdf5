"""Answer a search, and write it down."""

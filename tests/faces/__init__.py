"""The faces machine with stub tasks: what it starts, publishes and leaves."""

"""Compare vectors: exactly, or with an index that was measured."""

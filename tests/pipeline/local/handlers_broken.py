"""A handler module that cannot be imported."""

raise RuntimeError("nothing works without coffee")

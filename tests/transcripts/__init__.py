"""The transcript machine on the local cloud, with tasks that answer by their contracts alone."""

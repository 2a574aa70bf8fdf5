"""JudgeImage: whether an image may become live."""

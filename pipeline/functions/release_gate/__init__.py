"""JudgeImage: decide whether an image may become live."""

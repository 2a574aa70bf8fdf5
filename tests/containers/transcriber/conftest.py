"""The vocabulary that tests of the rules share."""

from tests.containers.transcriber.fakes import vocabulary

__all__ = ["vocabulary"]

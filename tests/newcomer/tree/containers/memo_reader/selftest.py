"""`python -m containers.memo_reader.selftest`: a text that is not UTF-8 is refused by name."""

from __future__ import annotations

from containers.memo_reader.words import known_words
from pipeline.errors import CorruptMedia
from pipeline.selftest import Trial, selftest


def check(trial: Trial) -> None:
    trial.expect("words", known_words(b"A cat, a dog.", frozenset({"cat"})), ["cat"])
    try:
        known_words(b"\xff", frozenset())
    except CorruptMedia as error:
        trial.expect("refused", type(error).__name__, "CorruptMedia")


if __name__ == "__main__":
    selftest("memo-reader", check)

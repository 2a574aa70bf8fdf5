"""`python -m containers.transcriber.selftest`: the libraries load, and features and rules agree."""

from __future__ import annotations


import numpy as np

from containers.transcriber.handler import handler
from containers.transcriber.mel import FRAMES, RATE, log_mel
from pipeline.selftest import Trial, selftest


def check(trial: Trial) -> None:
    import ctranslate2
    import tokenizers


if __name__ == "__main__":
    selftest("transcriber", check)

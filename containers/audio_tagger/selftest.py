"""`python -m containers.audio_tagger.selftest`: the handler is there."""

from __future__ import annotations

from containers.audio_tagger.handler import handler
from pipeline.selftest import Trial, selftest


def check(trial: Trial) -> None:
    trial.expect("module", handler.__module__, "containers.audio_tagger.handler")


if __name__ == "__main__":
    selftest("audio-tagger", check)

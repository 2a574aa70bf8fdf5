"""`python -m containers.diarizer.selftest`: the handler is there."""

from __future__ import annotations

from containers.diarizer.handler import handler
from pipeline.selftest import Trial, selftest


def check(trial: Trial) -> None:
    trial.expect("module", handler.__module__, "containers.diarizer.handler")


if __name__ == "__main__":
    selftest("diarizer", check)

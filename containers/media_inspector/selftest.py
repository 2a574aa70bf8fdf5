"""`python -m containers.media_inspector.selftest`: inspect a photo that was stored on its side."""

from __future__ import annotations

from containers.media_inspector.handler import handler
from pipeline.contracts.cutout import CutoutInspected
from pipeline.selftest import Trial, selftest


def check(trial: Trial) -> None:
    trial.run(handler, CutoutInspected)


if __name__ == "__main__":
    selftest("media-inspector", check)

"""`python -m containers.background_remover.selftest`: find a drawn subject with the starter."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from containers.background_remover.handler import handler
from pipeline.contracts.cutout import BackgroundRemoved
from pipeline.model_context import catalogue_of
from pipeline.selftest import Trial, selftest

STARTER: Final = Path(__file__).parent / "starter"


def check(trial: Trial) -> None:
    row = catalogue_of(trial.bench).row("starter")
    result = trial.run(handler, BackgroundRemoved, row=trial.stage(row, STARTER))

    trial.expect("weights", f"sha256:{result.weights_sha256}", row.files[0].digest)


if __name__ == "__main__":
    selftest("background-remover", check)

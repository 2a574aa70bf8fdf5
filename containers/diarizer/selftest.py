"""`python -m containers.diarizer.selftest`: small networks tell two tones apart.

They have the inputs and outputs of published networks, and 33 kB (`tones/`).
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

from containers.diarizer.handler import handler
from pipeline.artifacts import Location
from pipeline.contracts.speakers import Diarized, PartSpeakers, part_key
from pipeline.model_context import catalogue_of
from pipeline.selftest import Trial, selftest

NAME: Final = "tones"
TONES: Final = Path(__file__).parent / "tones"


def check(trial: Trial) -> None:
    bench = trial.offer(TONES / "catalogue.toml")
    row = catalogue_of(bench, "diarizer").row(NAME)
    trial.run(handler, Diarized, row=trial.stage(row, TONES))

    key = part_key("selftest/golden", model=NAME, index=0)
    part = PartSpeakers.model_validate_json(bench.store.read(Location("work", key)))
    turns = [(turn.speaker, round(turn.start, 1), round(turn.end, 1)) for turn in part.turns]
    trial.expect("turns", turns, [(0, 60.2, 62.2), (1, 61.9, 63.9)])


if __name__ == "__main__":
    selftest("diarizer", check)

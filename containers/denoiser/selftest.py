"""`python -m containers.denoiser.selftest`: networks that let everything pass return the recording.

They have the published networks' contract and states, and a few kB (`passing/`).
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

import numpy as np

from containers.denoiser.handler import handler
from pipeline.artifacts import Location
from pipeline.audio.flac import decode_flac
from pipeline.contracts.transcript import AudioDenoised
from pipeline.golden import Row
from pipeline.model_context import catalogue_of
from pipeline.selftest import Trial, selftest
from pipeline.weights.staged import StagedWeights

_FOLDER: Final = Path(__file__).parent
_QUIET: Final = 2 / 2**15  # two steps of 16 bits


def check(trial: Trial) -> None:
    row = catalogue_of(trial.bench).row("deepfilternet3")
    content = (_FOLDER / "passing" / "manifest.json").read_bytes()
    trial.put(Location("models", row.weights_key), content)
    for file in StagedWeights.parse(content, uri="manifest.json").files:
        assert file.stream is not None  # noqa: S101 - for mypy
        name, artifact = file.stream.file.name, file.stream.file.artifact
        trial.put(Location.parse(artifact.uri), (_FOLDER / "passing" / name).read_bytes())

    facts = Row(row.name, row.engine.name, row.weights_key)
    result = trial.run(handler, AudioDenoised, row=facts)

    recorded, rate = decode_flac((_FOLDER / "golden" / "recorded.flac").read_bytes())
    denoised, own_rate = decode_flac(trial.read(result.file.artifact))
    trial.expect("rate", own_rate, rate)
    trial.expect("shape", denoised.shape, recorded.shape)
    changed = np.abs(denoised - recorded) > _QUIET
    trial.expect("samples that changed", int(changed.sum()), 0)


if __name__ == "__main__":
    selftest("denoiser", check)

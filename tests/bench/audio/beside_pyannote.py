"""The diarizer next to pyannote's own pipeline, on the same checkpoints and recordings.

pyannote's clustering threshold belongs to the embedding, so it gets the best of some for these very
recordings, and ours its row's. It looks every 0.5 s as published, and every 1 s as ours does.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np

from pipeline.cli.report import console
from tests.bench.audio import peers
from tests.bench.audio.dialogues import dialogue
from tests.bench.audio.recordings import kept_weights
from tests.bench.audio.rttm import Turn
from tests.bench.audio.speakers import MODEL, Clip, Desk, Diarized, clips, rate
from tests.bench.audio.voices import real_voices
from tests.bench.figures import Figures
from tests.bench.tasks import ONE_THREAD

_PROGRAM: Final = Path(__file__).with_name("pyannote_peer.py")
_THRESHOLDS: Final = (0.5, 0.55, 0.6)
_PUBLISHED_STEP_S, _OUR_STEP_S = 0.5, 1.0
_LONG_S: Final = 120
_MOST_MORE: Final = 1  # points of errors
_MOST_CPU: Final = 0.7  # of pyannote's


def main() -> None:
    python = peers.pyannote()
    made = dialogue(real_voices(), seconds=_LONG_S, seed=5)
    long = Clip("long", made.samples, made.turns)
    asked = [*clips(), long]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        desk = Desk(folder)
        ours = [desk.diarize(clip) for clip in asked]
        theirs = {
            step: _pyannote(python, folder, asked, step)
            for step in (_PUBLISHED_STEP_S, _OUR_STEP_S)
        }
    best = {step: _best(asked[:-1], found) for step, found in theirs.items()}
    figures = Figures(
        "Speakers: errors in %, and CPU on one thread", peer="pyannote.audio 4.0.7, 0.5 s (1 s)"
    )
    rates = [[rate(clip, found) for clip, found in zip(asked, ours, strict=True)]]
    for step in theirs:
        found = theirs[step][best[step]]
        rates.append([rate(clip, each) for clip, each in zip(asked, found, strict=True)])
    mine, published, same = rates
    for clip, *wrong in zip(asked[:-1], mine, published, same, strict=False):
        figures.add(clip.name, f"{wrong[0]:.1f}", f"{wrong[1]:.1f} ({wrong[2]:.1f})")
    means = [statistics.mean(each[:-1]) for each in rates]
    figures.add("mean", f"{means[0]:.1f}", f"{means[1]:.1f} ({means[2]:.1f})")
    more = means[0] - min(means[1:])
    figures.at_most("  points more than the better of both", more, _MOST_MORE, form=".1f")
    took = [ours[-1].cpu_s, *(theirs[step][best[step]][-1].cpu_s for step in theirs)]
    per_second = [f"{each / long.seconds:.4f}" for each in took]
    figures.add(
        "CPU-seconds a second, two minutes", per_second[0], f"{per_second[1]} ({per_second[2]})"
    )
    figures.at_most("  ÷ pyannote as published", took[0] / took[1], _MOST_CPU, form=".2f")
    figures.add("  ÷ pyannote, every 1 s", f"{took[0] / took[2]:.2f}")
    peaks = (theirs[step][best[step]][-1].peak_mb for step in theirs)
    figures.add("peak, MB", f"{ours[-1].peak_mb:.0f}", f"{next(peaks):.0f} ({next(peaks):.0f})")
    figures.show()
    console().print(f"peers: pyannote's best thresholds: {best}")


def _best(asked: Sequence[Clip], found: Mapping[float, Sequence[Diarized]]) -> float:
    """Return the threshold with the fewest errors in all."""
    return min(
        found,
        key=lambda threshold: sum(
            rate(clip, each) for clip, each in zip(asked, found[threshold], strict=False)
        ),
    )


def _pyannote(
    python: Path, folder: Path, asked: Sequence[Clip], step_s: float
) -> dict[float, list[Diarized]]:
    """Return what the pipeline finds, by threshold, in the order of the recordings."""
    paths = []
    for number, clip in enumerate(asked):
        paths.append(folder / f"{number}.npy")
        np.save(paths[-1], clip.samples)
    weights = kept_weights(MODEL)
    command: list[str | Path] = [
        python, "-P", _PROGRAM, weights / "segmentation-2022.bin", weights / "ge2e.pt", str(step_s),
        ",".join(map(str, _THRESHOLDS)), *paths,
    ]  # fmt: skip
    silent = {"PYANNOTE_METRICS_ENABLED": "0", "HF_HUB_OFFLINE": "1"}
    done = subprocess.run(
        command,
        env={**os.environ, **ONE_THREAD, **silent},
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    told: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    found: dict[float, list[Diarized]] = {threshold: [] for threshold in _THRESHOLDS}
    for each in told["found"]:
        turns = [Turn(*turn) for turn in each["turns"]]
        found[each["threshold"]].append(Diarized(turns, each["cpu_s"], told["peak_mb"]))
    return found

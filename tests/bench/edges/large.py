"""Large photos, each in a process of its own: processor time, and memory beyond the photo's.

python -m tests.bench.edges.large CONTENDER MEGAPIXELS BAND_PERCENT
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path
from typing import Final, NamedTuple

import numpy as np
from PIL import Image

from pipeline.photo.pixels import Pixels
from tests.bench.edges.contenders import CONTENDERS
from tests.conftest import ROOT

_ROUNDS: Final = 2
_MASK: Final = 1024


class Load(NamedTuple):
    """Seconds of all processors together: on a busy machine they say more than a clock."""

    seconds: float
    extra_mb: float


def measure(who: str, megapixels: int, band_percent: int) -> Load:
    """The better of two rounds (rembg: one), in a process of its own."""
    command = [sys.executable, "-m", "tests.bench.edges.large", who, f"{megapixels}"]
    told = subprocess.run(
        [*command, f"{band_percent}"], check=True, capture_output=True, cwd=ROOT
    ).stdout
    return Load(**json.loads(told))


def photo_and_mask(megapixels: int, band_percent: int) -> tuple[Pixels, Pixels]:
    """Discs on a blurred pattern; as many as the band needs to be that share of the photo."""
    width = round((megapixels * 1e6 * 4 / 3) ** 0.5)
    height = width * 3 // 4
    count = 1 if band_percent <= 5 else 8
    down, across = np.mgrid[:_MASK, :_MASK].astype(np.float32) / _MASK * count % 1 - 0.5
    mask = np.clip((0.35 - np.hypot(down, across)) / count * _MASK / 2.5 + 0.5, 0, 1)
    mask = np.asarray((mask * 255).round(), dtype=np.uint8)
    rng = np.random.default_rng(1)
    ground, subject = (
        Image.fromarray(rng.integers(low, low + 120, (40, 50, 3), dtype=np.uint8)).resize(
            (width, height), Image.Resampling.BICUBIC
        )
        for low in (0, 130)
    )
    ground.paste(subject, mask=Image.fromarray(mask).resize((width, height)))
    return np.asarray(ground), mask


def _run(who: str, megapixels: int, band_percent: int) -> Load:
    cut_out = CONTENDERS[who]
    cut_out(*photo_and_mask(1, band_percent))  # compiled and loaded
    photo, mask = photo_and_mask(megapixels, band_percent)
    Path("/proc/self/clear_refs").write_text("5")
    before = _peak_mb()
    times = []
    for _ in range(1 if who == "rembg" else _ROUNDS):
        started = time.process_time()
        cut_out(photo, mask)
        times.append(time.process_time() - started)
    return Load(min(times), _peak_mb() - before)


def _peak_mb() -> float:
    lines = Path("/proc/self/status").read_text().splitlines()
    (peak,) = (line.split()[1] for line in lines if line.startswith("VmHWM"))
    return int(peak) / 2**10


if __name__ == "__main__":
    name, size, share = sys.argv[1:]
    sys.stdout.write(json.dumps(_run(name, int(size), int(share))._asdict()))

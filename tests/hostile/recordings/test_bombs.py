"""Small files of many hours: the limit counts what is decoded, and memory does not grow."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Final

import numpy as np
import pytest
import soundfile

from tests.conftest import ROOT

RATE: Final = 4_000  # the lowest that is read: most hours by the fewest samples
MOST_MB: Final = 150
DECODING: Final = """
import sys
from pathlib import Path
from containers.audio_reader.decoding import opened
from pipeline.errors import PipelineError
seconds = 0
try:
    with open(sys.argv[1], "rb") as file, opened(file, "flac", denoised=False) as sound:
        for block in sound.blocks():
            seconds += len(block) / sound.shape.rate
    end = "read"
except PipelineError as error:
    end = type(error).__name__
peak_kb = Path("/proc/self/status").read_text().partition("VmHWM:")[2].split()[0]
print(end, seconds, int(peak_kb) / 1024)
"""


@pytest.mark.timeout(170)
@pytest.mark.parametrize(("hours", "end"), [(10, "read"), (12.1, "MediaTooLong")])
def test_flac_of_many_hours_of_silence(tmp_path: Path, hours: float, end: str) -> None:
    path = tmp_path / "bomb.flac"
    minute = np.zeros(60 * RATE, np.int16)
    with soundfile.SoundFile(path, "w", RATE, 1, "PCM_16") as file:
        for _ in range(round(hours * 60)):
            file.write(minute)
    assert path.stat().st_size < 2 * 10**6

    command = [sys.executable, "-c", DECODING, str(path)]
    said = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout

    ended, seconds, peak_mb = said.split()
    assert ended == end
    assert float(seconds) == pytest.approx(min(hours, 12) * 3600, abs=1)
    assert float(peak_mb) < MOST_MB

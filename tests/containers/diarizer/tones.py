"""`python -m tests.containers.diarizer.tones`: write the self-test's networks and its sound."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from pipeline.audio.flac import encode_flac
from tests.conftest import ROOT
from tests.speaker_models import RATE, Tone, stock_speakers, tones

CONTAINER: Final = ROOT / "containers" / "diarizer"
NAME: Final = "tones"
CATALOGUE: Final = "catalogue.toml"
SPOKEN: Final = (Tone(1, 0.2, 2.2), Tone(0, 1.9, 3.9))


def tone_files() -> Mapping[str, bytes]:
    """Return the content of each file in `tones/`, by name."""
    with TemporaryDirectory() as folder:
        row = stock_speakers(Path(folder), NAME)
        networks = {path.name: path.read_bytes() for path in sorted(Path(folder).iterdir())}
    return {**networks, CATALOGUE: row.encode()}


def golden_sound() -> bytes:
    return encode_flac(tones(*SPOKEN, seconds=4)[:, None], rate=RATE)


if __name__ == "__main__":
    for name, content in tone_files().items():
        (CONTAINER / "tones" / name).write_bytes(content)
    (CONTAINER / "golden" / "speech.flac").write_bytes(golden_sound())
    sys.exit()

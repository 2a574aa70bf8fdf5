"""Random damage to recordings of every format: what is left is read, or refused by name."""

from __future__ import annotations

import struct
from typing import Final

import numpy as np
import pytest

from tests.hostile.case import Note
from tests.hostile.recordings import elements, films, pages, waves
from tests.hostile.recordings.case import READ
from tests.hostile.recordings.cell import Question
from tests.hostile.recordings.test_corpus import MOST_CPU_S
from tests.hostile.recordings.warder import Warder
from tests.pipeline.audio.recordings import KINDS, Kind, encoded, tones, written

FILES: Final = 40  # of each seed
NAMED: Final = {READ, "CorruptMedia", "UnsupportedMedia", "NoAudio", "MediaTooLong", "OtherMedia"}
NUMBERS: Final = (0, 1, 2, 0x7F, 0x80, 0xFF, 0x7FFF, 0xFFFF, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF)
SEEDS: Final = {
    **{suffix: encoded(tones(1, kind.rate, 2), suffix) for suffix, kind in KINDS.items()},
    "7.1 AAC": encoded(tones(0.5, 48_000, 8), ".m4a"),
    "7.1 FLAC": encoded(tones(0.5, 48_000, 8), ".flac"),
    "5.1 Opus": encoded(tones(0.5, 48_000, 6), ".opus"),
    "film": written(tones(1, 48_000, 2), KINDS[".mp4"], film=True),
    "fragments": written(
        tones(1, 48_000), KINDS[".mp4"], options={"movflags": "frag_keyframe+empty_moov"}
    ),
    "ALAC": written(tones(1, 48_000, 2), Kind("ipod", "alac")),
    "E-AC-3": written(tones(1, 48_000, 2), Kind("matroska", "eac3")),
    "ADPCM": written(tones(1, 48_000, 2), Kind("wav", "adpcm_ms")),
    "MOV by hand": films.film(),
    "MKV by hand": elements.matroska(),
    "Ogg by hand": pages.opus(pages.opus_head()),
    "float WAV": waves.saved(tones(1, 8_000), subtype="FLOAT"),
    "RF64": waves.saved(tones(1, 8_000), format="RF64"),
    "W64": waves.saved(tones(1, 8_000), format="W64"),
}


@pytest.mark.timeout(170)
@pytest.mark.parametrize("seed", SEEDS)
def test_a_damaged_recording_is_read_or_refused_by_name(
    warder: Warder, seed: str, record_property: Note
) -> None:
    drawn = np.random.default_rng(list(SEEDS).index(seed))
    for place in range(FILES):
        answer = warder.ask(Question("a.mp3", damaged(SEEDS[seed], drawn), {}, None, None))

        assert answer["end"] in NAMED, f"file {place}: {answer}"
        assert answer["cpu_s"] <= MOST_CPU_S
    record_property("end", f"{FILES} damaged files of one kind")


def damaged(content: bytes, drawn: np.random.Generator) -> bytes:
    """Return a file with changed bytes, extreme numbers, and parts repeated or removed."""
    changed = bytearray(content)
    for _ in range(int(drawn.integers(1, 12))):
        most = len(changed) if drawn.random() < 0.5 else min(len(changed), 600)
        at, length = int(drawn.integers(most)), int(drawn.integers(1, 200))
        match int(drawn.integers(5)):
            case 0:
                changed[at] = int(drawn.integers(256))
            case 1 | 2:
                order = str(drawn.choice([">I", "<I", ">H", "<H"]))
                number = NUMBERS[int(drawn.integers(len(NUMBERS)))]
                number %= 256 ** struct.calcsize(order)
                changed[at : at + struct.calcsize(order)] = struct.pack(order, number)
            case 3:
                changed[at:at] = changed[at : at + length]
            case _:
                del changed[at : min(at + length, len(changed) - 1)]
    return bytes(changed)

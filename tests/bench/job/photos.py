"""The photos of the job: real ones where a folder has them, else samples at the same sizes."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import cycle, islice
from pathlib import Path
from typing import Final

from PIL import Image

from pipeline.cli.runs import sample_photos

# Widths and heights, in pixels, of 28 photos as people have them: from the web, from a phone.
SIZES: Final = (
    (1600, 1066), (275, 183), (800, 1200), (1280, 720), (1920, 1080), (612, 408), (1440, 560),
    (1000, 1500), (300, 168), (1080, 1080), (640, 480), (736, 1104), (1200, 800), (976, 549),
    (512, 512), (1024, 768), (225, 225), (1500, 1000), (900, 600), (1600, 900), (259, 194),
    (400, 300), (1365, 1365), (750, 1000), (1280, 853), (480, 640), (1066, 1600), (700, 466),
)  # fmt: skip
_COMMENT: Final = b"\xff\xfe\x00\x06%04d"


def twenty_eight(photos: Path, folder: Path) -> list[Path]:
    """Return the photos of `photos`/people and /objects; without them, drawn ones in `folder`."""
    found = [
        path
        for kind in ("people", "objects")
        for path in sorted((photos / kind / "photos").glob("*"))
        if path.suffix.lower() in {".jpg", ".jpeg", ".png"}
    ]
    return found[: len(SIZES)] if len(found) >= len(SIZES) else _samples(folder)


def two_hundred(photos: Sequence[Path], folder: Path) -> list[Path]:
    """Write 200 JPEGs of these photos; a comment in each makes it no duplicate of another."""
    jpegs = [path for path in photos if path.suffix.lower() != ".png"]
    written = []
    for number, path in enumerate(islice(cycle(jpegs), 200)):
        content = path.read_bytes()
        written.append(folder / f"{number:03}.jpg")
        written[-1].write_bytes(content[:2] + _COMMENT % number + content[2:])
    return written


def _samples(folder: Path) -> list[Path]:
    """Write a sample photo at each size."""
    written = []
    for number, (size, sample) in enumerate(zip(SIZES, cycle(sample_photos()), strict=False)):
        written.append(folder / f"{number:02}.jpg")
        with Image.open(sample) as image:
            enlarged = image.convert("RGB").resize(size, Image.Resampling.LANCZOS)
        enlarged.save(written[-1], quality=90)
    return written

"""Memory over 200 photos of mixed sizes, 0.05 to 6 megapixels, in one process.

It is flat if no photo after the first 20 makes the process larger. All sizes are among these 20.
"""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from pipeline.cli.report import console
from tests.bench.faces import peers
from tests.bench.faces.photos import of_mixed_sizes, photos
from tests.bench.faces.raw_photos import write_raw
from tests.bench.faces.staged import EMBEDDER, FACENET, SSD, Shelf
from tests.bench.figures import Figures, Missing

_PHOTOS: Final = 200
_DIFFERENT: Final = 40  # they take a third of a gigabyte on disk
_FIRST: Final = 20
_MOST_GROWTH: Final = 1.02
_ATTRIBUTES: Final = ("age_gender", "expressions")


def main() -> None:
    with tempfile.TemporaryDirectory() as name:
        shelf = Shelf(Path(name))
        shelf.stage(SSD, EMBEDDER)
        written = [
            write_raw(str(number), pixels, shelf.folder)
            for number, pixels in enumerate(of_mixed_sizes(photos(), _DIFFERENT))
        ]
        mixed = written * (_PHOTOS // _DIFFERENT)
        figures = Figures(f"Resident memory over {_PHOTOS} photos, MB", peer="peer")
        ours = shelf.ours(mixed, analyzer=SSD, attributes=_ATTRIBUTES, embedder=EMBEDDER)
        theirs = peers.face_api(
            mixed, shelf.folder, detector="ssd", min_score=0.5, origin="box",
            describe=("landmarks", *_ATTRIBUTES, "descriptors"),
        )  # fmt: skip
        _add(figures, "full set, next to face-api", ours, theirs)
        try:
            checkpoint = shelf.folder / "random.pt"
            theirs = peers.facenet(mixed[:_DIFFERENT], shelf.folder, checkpoint=checkpoint)
            shelf.stage_facenet(checkpoint)
            theirs = peers.facenet(mixed, shelf.folder, checkpoint=checkpoint)
            ours = shelf.ours(mixed, embedder=FACENET)
            _add(figures, "MTCNN and 512 numbers, next to facenet-pytorch", ours, theirs)
        except Missing as why:
            console().print(f"plateau: facenet-pytorch not measured: {why}")
        figures.show()


def _add(figures: Figures, name: str, ours: Mapping[str, Any], theirs: Mapping[str, Any]) -> None:
    mine, other = both = [_resident(told) for told in (ours, theirs)]
    figures.add(name, "")
    figures.add(f"  the first {_FIRST}, largest", *(f"{max(each[:_FIRST]):.0f}" for each in both))
    figures.add("  the last 40, largest", *(f"{max(each[-40:]):.0f}" for each in both))
    figures.at_most(
        "  all others ÷ the first", growth(mine), _MOST_GROWTH, form=".2f",
        peer=f"{growth(other):.2f}",
    )  # fmt: skip


def _resident(told: Mapping[str, Any]) -> list[float]:
    return [turn["resident_mb"] for photo in told["photos"] for turn in photo["rounds"]]


def growth(resident: list[float]) -> float:
    """Return the largest after the first 20 photos, divided by the largest among them."""
    return max(resident[_FIRST:]) / max(resident[:_FIRST])

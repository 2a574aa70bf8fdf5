"""Processor time for a photo, next to face-api in Node and facenet-pytorch.

All use one thread. Both sides have the same pixels in memory, and take turns. A photo counts with
its best round, and the ratio is that of all photos together. Loading, decoding and writing do not
count.
"""

from __future__ import annotations

import os
import statistics
import tempfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from pipeline.cli.report import console
from tests.bench.faces import peers
from tests.bench.faces.photos import photos, raw
from tests.bench.faces.raw_photos import RawPhoto
from tests.bench.faces.staged import EMBEDDER, FACENET, SSD, TINY, Shelf
from tests.bench.figures import Figures, Missing

_TURNS: Final = int(os.environ.get("ROUNDS") or 3)
_ATTRIBUTES: Final = ("age_gender", "expressions")
_MOST_TINY, _MOST_FULL, _MOST_MTCNN = 0.5, 0.6, 0.4
Told = Mapping[str, Any]
Turns = Sequence[tuple[Told, Told]]


def main() -> None:
    with tempfile.TemporaryDirectory() as name:
        shelf = Shelf(Path(name))
        pictures = raw(photos(), shelf.folder)
        for part in (_face_api, _facenet):
            try:
                part(shelf, pictures)
            except Missing as why:
                console().print(f"times: {part.__name__.strip('_')} not measured: {why}")


def _face_api(shelf: Shelf, pictures: Sequence[RawPhoto]) -> None:
    shelf.stage(SSD, TINY, EMBEDDER)

    def node(detector: str, *describe: str) -> Callable[[], Told]:
        return lambda: peers.face_api(
            pictures, shelf.folder, detector=detector, describe=describe, min_score=0.5,
            origin="box", rounds=2,
        )  # fmt: skip

    def ours(analyzer: str, attributes: Sequence[str], embedder: str | None) -> Callable[[], Told]:
        return lambda: shelf.ours(
            pictures, analyzer=analyzer, attributes=attributes, embedder=embedder, rounds=2
        )

    figures = Figures(f"CPU for a photo, ms: best of {2 * _TURNS}", peer="face-api, Node")
    tiny = ours(TINY, _ATTRIBUTES, None)
    turns = _in_turns(tiny, node("tiny", *_ATTRIBUTES))
    _add(figures, "tiny set: tiny detector, expressions, ages", _MOST_TINY, turns)
    turns = _in_turns(tiny, node("tiny", "landmarks", *_ATTRIBUTES))
    _add(figures, "the same, landmarks in Node too", None, turns)
    turns = _in_turns(ours(SSD, (), None), node("ssd", "landmarks"))
    _add(figures, "default: SSD, landmarks", None, turns)
    full = node("ssd", "landmarks", *_ATTRIBUTES, "descriptors")
    turns = _in_turns(ours(SSD, _ATTRIBUTES, EMBEDDER), full)
    _add(figures, "full set: SSD, landmarks, expressions, ages, 128 numbers", _MOST_FULL, turns)
    figures.show()


def _facenet(shelf: Shelf, pictures: Sequence[RawPhoto]) -> None:
    checkpoint = shelf.folder / "random.pt"
    peers.facenet(pictures, shelf.folder, checkpoint=checkpoint)
    shelf.stage_facenet(checkpoint)
    figures = Figures(f"CPU for a photo, ms: best of {2 * _TURNS}", peer="facenet-pytorch")
    turns = _in_turns(
        lambda: shelf.ours(pictures, embedder=FACENET, rounds=2),
        lambda: peers.facenet(pictures, shelf.folder, rounds=2, checkpoint=checkpoint),
    )
    _add(figures, "MTCNN", _MOST_MTCNN, turns, "cpu_s")
    _add(figures, "InceptionResnetV1", None, turns, "embed_s")
    turns = [
        (ours, peers.facenet(pictures, shelf.folder, rounds=2, checkpoint=checkpoint, threads=0))
        for ours, _ in turns
    ]
    _add(figures, "MTCNN, next to as many threads as torch chooses", None, turns, "cpu_s")
    figures.show()


def _in_turns(ours: Callable[[], Told], theirs: Callable[[], Told]) -> Turns:
    return [(ours(), theirs()) for _ in range(_TURNS)]


def _add(
    figures: Figures, name: str, most: float | None, turns: Turns, of: str = "cpu_s embed_s"
) -> None:
    mine, other = (best(runs, of.split()) for runs in zip(*turns, strict=True))
    for figure in (statistics.median, statistics.mean):
        values = (f"{1000 * figure(each):.0f}" for each in (mine, other))
        figures.add(f"{name}: {figure.__name__}", *values)
    ratio = sum(mine) / sum(other)
    if most is None:
        figures.add("  all, ÷ peer's", f"{ratio:.2f}")
    else:
        figures.at_most("  all, ÷ peer's", ratio, most, form=".2f")


def best(runs: Sequence[Told], of: Sequence[str]) -> list[float]:
    """Return each photo's least sum of these steps, of all rounds of all runs, in seconds."""
    photos_of_runs = zip(*(run["photos"] for run in runs), strict=True)
    return [
        min(sum(turn.get(step, 0.0) for step in of) for each in same for turn in each["rounds"])
        for same in photos_of_runs
    ]

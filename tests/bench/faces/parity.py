"""The same faces as face-api's and facenet-pytorch's, on the same pixels.

face-api adds the wrong corner to landmarks (`faceapi/oracle.cjs` says how), so ours are compared
with landmarks that it put right. What this changes is in the table too.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from pipeline.cli.report import console
from tests.bench.faces import peers
from tests.bench.faces.compared import Differences, Face
from tests.bench.faces.photos import photos, raw
from tests.bench.faces.raw_photos import RawPhoto
from tests.bench.faces.staged import EMBEDDER, FACENET, SSD, TINY, Shelf
from tests.bench.figures import Figures, Missing

_AIMS: Final = {
    "box": 0.01,  # pixels
    "landmarks": 0.05,
    "score": 1e-4,
    "probability": 1e-4,
    "descriptor": 1e-5,
}
_ATTRIBUTES: Final = ("age_gender", "expressions")
_DESCRIBED: Final = ("landmarks", *_ATTRIBUTES)


def main() -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        pictures = raw(photos(), folder)
        for part in (_ssd, _tiny, _facenet):
            try:
                part(Shelf(folder), pictures)
            except Missing as why:
                console().print(f"parity: {part.__name__.strip('_')} not measured: {why}")


def _ssd(shelf: Shelf, pictures: Sequence[RawPhoto]) -> None:
    shelf.stage(SSD, EMBEDDER)
    asked = {"detector": "ssd", "describe": [*_DESCRIBED, "descriptors"], "min_score": 0.5}
    right, published = (
        peers.face_api(pictures, shelf.folder, origin=origin, **asked) for origin in ("crop", "box")
    )
    ours = shelf.ours(pictures, analyzer=SSD, attributes=_ATTRIBUTES, embedder=EMBEDDER)
    _show("SSD, landmarks, attributes, 128 numbers", "face-api", pictures, ours, right)
    found = compared(pictures, right, published)
    figures = Figures("face-api as published, next to its landmarks put right")
    for kind, value in found.largest.items():
        figures.add(kind, f"{value:.2g}")
    figures.show()


def _tiny(shelf: Shelf, pictures: Sequence[RawPhoto]) -> None:
    shelf.stage(TINY)
    theirs = peers.face_api(
        pictures, shelf.folder, origin="crop", detector="tiny", describe=_DESCRIBED, min_score=0.5
    )
    ours = shelf.ours(pictures, analyzer=TINY, attributes=_ATTRIBUTES)
    _show("Tiny detector, landmarks, attributes", "face-api", pictures, ours, theirs)


def _facenet(shelf: Shelf, pictures: Sequence[RawPhoto]) -> None:
    checkpoint = shelf.folder / "random.pt"
    theirs = peers.facenet(pictures, shelf.folder, checkpoint=checkpoint)
    shelf.stage_facenet(checkpoint)
    ours = shelf.ours(pictures, embedder=FACENET)
    _show("MTCNN, 512 numbers", "facenet-pytorch", pictures, ours, theirs)


def compared(
    pictures: Sequence[RawPhoto], ours: Mapping[str, Any], theirs: Mapping[str, Any]
) -> Differences:
    found = Differences()
    for picture, *both in zip(pictures, _faces(ours), _faces(theirs), strict=True):
        found.add(picture.name, *both)
    return found


def _faces(told: Mapping[str, Any]) -> Iterator[Sequence[Face]]:
    return (photo["faces"] for photo in told["photos"])


def _show(
    title: str,
    peer: str,
    pictures: Sequence[RawPhoto],
    ours: Mapping[str, Any],
    theirs: Mapping[str, Any],
) -> None:
    found = compared(pictures, ours, theirs)
    figures = Figures(f"{title}: {len(pictures)} photos, largest differences", peer=peer)
    counts = (str(sum(map(len, _faces(told)))) for told in (ours, theirs))
    figures.add("faces", *counts)
    figures.at_most("photos with another number of faces", len(found.other_counts), 0, form="d")
    for kind, most in _AIMS.items():
        if kind in found.largest:
            figures.at_most(kind, found.largest[kind], most, form=".1e")
    if "age" in found.largest:
        figures.add("age, years", f"{found.largest['age']:.1e}")
        figures.at_most("other genders", found.other_genders, 0, form="d")
    figures.show()
    if found.other_counts:
        console().print(f"another number of faces: {', '.join(found.other_counts)}")

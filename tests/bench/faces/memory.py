"""Peak memory of the tasks on a photo of 3 megapixels, next to face-api in Node.

Each task has a process of its own that imports what its function imports. Both sides decode a JPEG
and write their results; Node decodes with sharp.
"""

from __future__ import annotations

import io
import tempfile
from pathlib import Path
from statistics import median
from typing import Any, Final

from PIL import Image

from pipeline.artifacts import Artifact, Location
from pipeline.contracts.contract import SourcePhoto
from pipeline.contracts.faces import AnalyzeFaces, EmbedFaces, FacesOptions
from pipeline.declared.catalogue import load_catalogue
from tests.bench.faces import peers
from tests.bench.faces.photos import ASTRONAUT, decoded, enlarged
from tests.bench.faces.raw_photos import Rgb
from tests.bench.faces.staged import EMBEDDER, SSD, TINY, Shelf
from tests.bench.figures import Figures
from tests.bench.tasks import in_process
from tests.conftest import ROOT

_MEGAPIXELS: Final = 3
_ATTRIBUTES: Final = ("age_gender", "expressions")
_RUNS: Final = 5  # of Node, whose memory differs from run to run: the median counts
_MOST: Final = 0.35  # of Node's


def main() -> None:
    with tempfile.TemporaryDirectory() as name:
        shelf = Shelf(Path(name))
        shelf.stage(SSD, TINY, EMBEDDER)
        pixels = enlarged(decoded(ASTRONAUT), _MEGAPIXELS)
        source = _uploaded(shelf, pixels)
        figures = Figures(
            f"Peak memory on a photo of {_MEGAPIXELS} megapixels, MB", peer="face-api, Node"
        )
        tiny = _analyzed(shelf, source, TINY, _ATTRIBUTES)
        full = _analyzed(shelf, source, SSD, _ATTRIBUTES)
        embedded = _embedded(shelf, source, Artifact.model_validate(full["result"]["faces"]))
        for title, ours, describe in (
            ("tiny set", tiny["peak_mb"], "tiny"),
            ("full set, the larger of two tasks", max(full["peak_mb"], embedded["peak_mb"]), "all"),
        ):
            photo = shelf.folder / "store" / source.bucket / source.key
            runs = [peers.whole(photo, describe, shelf.folder)["peak_mb"] for _ in range(_RUNS)]
            theirs = median(runs)
            figures.add(title, f"{ours:.0f}", f"{theirs:.0f}")
            figures.at_most("  ÷ Node's", ours / theirs, _MOST, form=".2f")
        figures.add("  of it, the analyzer", f"{full['peak_mb']:.0f}")
        figures.add("  of it, the embedder", f"{embedded['peak_mb']:.0f}")
        figures.show()


def _uploaded(shelf: Shelf, pixels: Rgb) -> SourcePhoto:
    out = io.BytesIO()
    Image.fromarray(pixels).save(out, "JPEG", quality=90)
    place = Location("ingest", "large.jpg")
    stored = shelf.store.write(place, out.getvalue(), media_type="image/jpeg")
    return SourcePhoto(
        bucket=place.bucket, key=place.key, version_id=None, etag=shelf.store.stat(place).etag,
        sha256=stored.sha256, bytes=stored.bytes, media_type="image/jpeg",
        width=pixels.shape[1], height=pixels.shape[0],
    )  # fmt: skip


def _analyzed(
    shelf: Shelf, source: SourcePhoto, model: str, attributes: tuple[str, ...]
) -> dict[str, Any]:
    options = FacesOptions.model_validate({"model": model, "attributes": attributes})
    job = AnalyzeFaces(source=source, options=options, **_whose(model))
    return in_process("face_analyzer", job, shelf.folder)


def _embedded(shelf: Shelf, source: SourcePhoto, faces: Artifact) -> dict[str, Any]:
    job = EmbedFaces(source=source, faces=faces, **_whose(EMBEDDER))
    return in_process("face_embedder", job, shelf.folder)


def _whose(model: str) -> dict[str, Any]:
    return {
        "schema_version": 1, "job_id": "1", "execution": "e", "model": model,
        "models_bucket": "models", "weights_key": load_catalogue(ROOT).row(model).weights_key,
        "work_bucket": "work", "work_prefix": f"faces/{model}", "output_stem": "large",
    }  # fmt: skip

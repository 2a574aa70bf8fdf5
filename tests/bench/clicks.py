"""The clicks table: a click's answer, beside bare onnxruntime on the same decoder.

The decoder is a stand-in of the true shape with random weights, staged as any model; the encoder
only has the right output. `python -m tests.bench.clicks` measures nothing else.
"""

from __future__ import annotations

import hashlib
import io
import tempfile
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime as ort
from PIL import Image
from rich.table import Table

from containers.background_remover.handler import handler
from containers.background_remover.network import open_network
from containers.model_downloader.handler import handler as stage_weights
from pipeline.artifacts import LocalStore, Location
from pipeline.cli.photos import sample_photos
from pipeline.cli.report import console
from pipeline.contracts.contract import SourcePhoto
from pipeline.contracts.selection import EncodePhoto, PhotoEncoded, SelectSubject, SubjectSelected
from pipeline.contracts.weights import StageWeights
from pipeline.model_context import catalogue_of
from pipeline.photo.prompts import Point, SubjectPrompt
from pipeline.weights.staged import StagedWeights
from pipeline.workbench import Settings, TaskContext, Workbench
from tests.bench.standins.sam import Vit, sam_encoder
from tests.bench.standins.sam_decoder import sam_decoder
from tests.conftest import ROOT

CLICKS = 30
NAME = "standin"
_SIDE = 4000  # of a photo of 12 megapixels
_ROW = """
[[models]]
name = "{name}"
summary = "For benchmarks."
engine = "sam"
licence = "MIT"
commercial = true
memory_mb = 2048
sam = {{ canvas = [684, 1024] }}
"""
_FILE = '\n[[models.files]]\nname = "{name}"\ndigest = "sha256:{digest}"\n'


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        clicks = _Clicks(Path(folder))
        whole, cut = clicks.networks()
        feed = clicks.feed
        rows = _best(
            {
                "bare onnxruntime, whole decoder": lambda: whole.run(None, feed),
                "bare onnxruntime, cut decoder": lambda: cut.run(None, feed),
                "answer to a click": clicks.answer,
            }
        )
    bare = rows["bare onnxruntime, cut decoder"]
    table = Table("figure", "ms", "× bare, cut", title=f"A click, best of {CLICKS}")
    for name, value in rows.items():
        table.add_row(name, f"{value:,.0f}", f"{value / bare:.2f}")
    console().print(table)


def model_row(mirror: Path) -> str:
    """Build the stand-in's files into a mirror folder; return its catalogue row."""
    row = _ROW.format(name=NAME)
    for part, model in (
        ("encoder", sam_encoder(Vit(depth=0, whole=()))),
        ("decoder", sam_decoder()),
    ):
        content = model.SerializeToString()
        (mirror / f"{part}.onnx").write_bytes(content)
        digest = hashlib.sha256(content).hexdigest()
        row += _FILE.format(name=f"{part}.onnx", digest=digest)
    return row


class _Clicks:
    def __init__(self, folder: Path) -> None:
        mirror = folder / "mirror"
        mirror.mkdir()
        (folder / "models.toml").write_text(model_row(mirror))
        settings = Settings(
            catalogue_overlays=(folder / "models.toml",),
            weights_mirror=str(mirror),
            scratch=folder / "scratch",
        )
        self._store = LocalStore(folder / "store")
        self._bench = Workbench(root=ROOT, settings=settings, store=self._store)
        self._mirror = mirror
        self._row = catalogue_of(self._bench).row(NAME)
        self._run(StageWeights(schema_version=1, model=NAME, models_bucket="m", force=False))
        self._click = self._prepared()

    def networks(self) -> tuple[ort.InferenceSession, ort.InferenceSession]:
        """The published decoder and its cut one, with the options that our functions use."""
        place = Location("m", self._row.weights_key)
        staged = StagedWeights.parse(self._store.read(place), uri=place.uri)
        made = staged.files[1].cut
        if made is None:
            raise SystemExit(f"the decoder is not cut: {staged.files[1].not_cut}")
        path = self._mirror / "cut.onnx"
        path.write_bytes(self._store.read(Location.parse(made.file.artifact.uri)))
        whole, cut = (open_network(each).session for each in (self._mirror / "decoder.onnx", path))
        return whole, cut

    @property
    def feed(self) -> dict[str, Any]:
        with np.load(io.BytesIO(self._store.read(Location.parse(self._click.embedding)))) as kept:
            embedding = kept["embedding"]
        return {
            "image_embeddings": embedding,
            "point_coords": np.array([[[300, 200], [0, 0]]], np.float32),
            "point_labels": np.array([[1, -1]], np.float32),
            "mask_input": np.zeros((1, 1, 256, 256), np.float32),
            "has_mask_input": np.zeros(1, np.float32),
            "orig_im_size": np.array([684, 1024], np.float32),
        }

    def answer(self) -> SubjectSelected:
        answered: SubjectSelected = self._run(self._click)
        return answered

    def _prepared(self) -> SelectSubject:
        image = Image.open(sample_photos()[0]).convert("RGB").resize((_SIDE, 3 * _SIDE // 4))
        buffer = io.BytesIO()
        image.save(buffer, "JPEG")
        content = buffer.getvalue()
        self._store.write(Location("in", "photo.jpg"), content, media_type="image/jpeg")
        source = SourcePhoto(
            bucket="in", key="photo.jpg", version_id=None, etag="e",
            sha256=hashlib.sha256(content).hexdigest(), bytes=len(content),
            media_type="image/jpeg", width=image.width, height=image.height,
        )  # fmt: skip
        encoded: PhotoEncoded = self._run(
            EncodePhoto(
                schema_version=1,
                selection="s",
                execution="e",
                source=source,
                model=NAME,
                models_bucket="m",
                weights_key=self._row.weights_key,
                work_bucket="w",
            )
        )
        return SelectSubject(
            schema_version=1, model=NAME, models_bucket="m", weights_key=self._row.weights_key,
            embedding=encoded.embedding, width=image.width, height=image.height,
            prompt=SubjectPrompt(points=(Point(x=1200, y=800),)),
        )  # fmt: skip

    def _run(self, job: Any) -> Any:
        run = stage_weights if isinstance(job, StageWeights) else handler
        return run.__wrapped__(job, TaskContext(self._bench))  # type: ignore[attr-defined]


def _best(works: Mapping[str, Callable[[], object]]) -> dict[str, float]:
    """The shortest of many times, in milliseconds. They take turns: the machine may be shared."""
    times: dict[str, list[float]] = {name: [] for name in works}
    for _ in range(CLICKS):
        for name, work in works.items():
            started = time.perf_counter()
            work()
            times[name].append((time.perf_counter() - started) * 1000)
    return {name: min(each) for name, each in times.items()}


if __name__ == "__main__":
    main()

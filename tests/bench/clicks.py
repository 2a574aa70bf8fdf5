"""The clicks tables: a click's answer, beside bare onnxruntime on the same decoder.

The decoders, of the first Segment Anything and of 2.1, are stand-ins of the true shapes with random
weights, staged as any model; the encoders only have the right outputs. `python -m
tests.bench.clicks` measures nothing else. Milliseconds are wall time; CPU is of all threads.
"""

from __future__ import annotations

import hashlib
import io
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import onnx
import onnxruntime as ort
from PIL import Image
from rich.table import Table

from containers.background_remover.handler import handler
from containers.background_remover.network import open_network
from containers.background_remover.sam import to_marks
from containers.background_remover.sam_contracts import contract_of
from containers.model_downloader.handler import handler as stage_weights
from pipeline.artifacts import LocalStore, Location
from pipeline.cli.report import console
from pipeline.cli.runs import sample_photos
from pipeline.contracts.contract import SourcePhoto
from pipeline.contracts.selection import EncodePhoto, PhotoEncoded, SelectSubject, SubjectSelected
from pipeline.contracts.weights import StageWeights
from pipeline.model_context import catalogue_of
from pipeline.photo.prompts import Point, SubjectPrompt
from pipeline.weights.staged import StagedWeights
from pipeline.workbench import Settings, TaskContext, Workbench
from tests.bench.standins.hiera import features_of_noise
from tests.bench.standins.sam import Vit, sam_encoder
from tests.bench.standins.sam_decoder import sam2_decoder, sam_decoder
from tests.conftest import ROOT

CLICKS = 30
_SIDE = 4000  # of a photo of 12 megapixels
_SUBJECT: Final = SubjectPrompt(points=(Point(x=1200, y=800),))
_ROW = """
[[models]]
name = "{name}"
summary = "For benchmarks."
engine = "{engine}"
licence = "MIT"
commercial = true
memory_mb = 2048
{engine} = {table}
"""
_FILE = '\n[[models.files]]\nname = "{name}"\ndigest = "sha256:{digest}"\n'


@dataclass(frozen=True)
class Case:
    """A model to click with; `table` is its row's."""

    title: str
    name: str
    engine: str
    table: str
    encoder: Callable[[], onnx.ModelProto]
    decoder: Callable[[], onnx.ModelProto]


CASES: Final = (
    Case(
        "Segment Anything", "standin", "sam", "{ canvas = [684, 1024] }",
        lambda: sam_encoder(Vit(depth=0, whole=())), sam_decoder,
    ),
    Case(
        "Segment Anything 2.1", "standin2", "sam2",
        "{ mean = [0.485, 0.456, 0.406], std = [0.229, 0.224, 0.225] }",
        features_of_noise, sam2_decoder,
    ),
)  # fmt: skip
NAME: Final = CASES[0].name


def main() -> None:
    for case in CASES:
        with tempfile.TemporaryDirectory() as folder:
            _report(case, _Clicks(case, Path(folder)))


def _report(case: Case, clicks: _Clicks) -> None:
    whole, cut = clicks.networks()
    feed = clicks.feed
    works: dict[str, Callable[[], object]] = {
        "bare onnxruntime, cut decoder": lambda: cut.run(None, feed),
        "answer to a click": clicks.answer,
    }
    if whole is not None:
        bare = whole
        works = {"bare onnxruntime, whole decoder": lambda: bare.run(None, feed)} | works
    rows = _best(works)
    reference, _ = rows["bare onnxruntime, cut decoder"]
    table = Table(
        "figure", "ms", "× bare, cut", "CPU s", title=f"{case.title}: a click, best of {CLICKS}"
    )
    for name, (wall, cpu) in rows.items():
        table.add_row(name, f"{wall:,.0f}", f"{wall / reference:.2f}", f"{cpu:.3f}")
    console().print(table)


def model_row(mirror: Path, case: Case = CASES[0]) -> str:
    """Build the stand-in's files into a mirror folder; return its catalogue row."""
    row = _ROW.format(name=case.name, engine=case.engine, table=case.table)
    for part, build in (("encoder", case.encoder), ("decoder", case.decoder)):
        content = build().SerializeToString()
        (mirror / f"{part}.onnx").write_bytes(content)
        digest = hashlib.sha256(content).hexdigest()
        row += _FILE.format(name=f"{part}.onnx", digest=digest)
    return row


class _Clicks:
    def __init__(self, case: Case, folder: Path) -> None:
        self._name = case.name
        mirror = folder / "mirror"
        mirror.mkdir()
        (folder / "models.toml").write_text(model_row(mirror, case))
        settings = Settings(
            catalogue_overlays=(folder / "models.toml",),
            weights_mirror=str(mirror),
            scratch=folder / "scratch",
        )
        self._store = LocalStore(folder / "store")
        self._bench = Workbench(root=ROOT, settings=settings, store=self._store)
        self._mirror = mirror
        self._row = catalogue_of(self._bench).row(self._name)
        self._run(StageWeights(schema_version=1, model=self._name, models_bucket="m", force=False))
        self._click = self._prepared()

    def networks(self) -> tuple[ort.InferenceSession | None, ort.InferenceSession]:
        """The published decoder and its cut one, with the options that our functions use.

        The first is None if the published one is its own cut network.
        """
        place = Location("m", self._row.weights_key)
        staged = StagedWeights.parse(self._store.read(place), uri=place.uri)
        made = staged.files[1].cut
        if made is None:
            raise SystemExit(f"the decoder is not cut: {staged.files[1].not_cut}")
        path = self._mirror / "cut.onnx"
        path.write_bytes(self._store.read(Location.parse(made.file.artifact.uri)))
        cut = open_network(path).session
        if made.file.artifact == staged.files[1].artifact:
            return None, cut
        return open_network(self._mirror / "decoder.onnx").session, cut

    @property
    def feed(self) -> dict[str, Any]:
        contract = contract_of(self._row)
        content = self._store.read(Location.parse(self._click.embedding))
        with np.load(io.BytesIO(content)) as kept:
            features = {name: kept[name] for name in contract.features}
        placement = contract.place((self._click.height, self._click.width))
        return contract.feed(features, to_marks(_SUBJECT, placement), placement, None)

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
                model=self._name,
                models_bucket="m",
                weights_key=self._row.weights_key,
                work_bucket="w",
            )
        )
        return SelectSubject(
            schema_version=1, model=self._name, models_bucket="m",
            weights_key=self._row.weights_key, embedding=encoded.embedding,
            width=image.width, height=image.height, prompt=_SUBJECT,
        )  # fmt: skip

    def _run(self, job: Any) -> Any:
        run = stage_weights if isinstance(job, StageWeights) else handler
        return run.__wrapped__(job, TaskContext(self._bench))  # type: ignore[attr-defined]


def _best(works: Mapping[str, Callable[[], object]]) -> dict[str, tuple[float, float]]:
    """The shortest of many times: wall in milliseconds, CPU in seconds.

    They take turns: the machine may be shared.
    """
    times: dict[str, list[Sequence[float]]] = {name: [] for name in works}
    for _ in range(CLICKS):
        for name, work in works.items():
            started, cpu = time.perf_counter(), time.process_time()
            work()
            spent = time.process_time() - cpu
            times[name].append(((time.perf_counter() - started) * 1000, spent))
    return {
        name: (min(wall for wall, _ in each), min(cpu for _, cpu in each))
        for name, each in times.items()
    }


if __name__ == "__main__":
    main()

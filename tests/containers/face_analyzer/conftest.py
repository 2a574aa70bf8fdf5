"""A face analyzer with small networks, for which a coloured square is a face."""

from __future__ import annotations

import hashlib
import io
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from containers.face_analyzer.handler import handler
from pipeline.artifacts import Artifact, LocalStore, Location
from pipeline.contracts.faces import AnalyzeFaces, FacesAnalyzed, FacesDocument
from pipeline.model_context import catalogue_of
from pipeline.weights.staged import StagedFile, StagedWeights
from pipeline.workbench import Settings, TaskContext, Workbench
from tests.conftest import ROOT
from tests.face_models import NAME, Engine, stock_faces

BOTH = ("age_gender", "expressions")


@dataclass
class Bench:
    context: TaskContext

    @property
    def store(self) -> LocalStore:
        store = self.context.store
        assert isinstance(store, LocalStore)
        return store

    def stage(self) -> str:
        """Write the networks to the models bucket, as the downloader would."""
        row = catalogue_of(self.context.bench, "face-analyzer").row(NAME)
        (folder,) = (path.parent for path in self.context.settings.catalogue_overlays)
        files = []
        for file in row.files:
            artifact = self.put("models", file.name, (folder / file.name).read_bytes())
            files.append(
                StagedFile(name=file.name, digest=file.digest, source="test", artifact=artifact)
            )
        record = StagedWeights(model=NAME, licence="MIT", files=tuple(files))
        self.put("models", row.weights_key, record.model_dump_json().encode())
        return row.weights_key

    def put(self, bucket: str, key: str, content: bytes) -> Artifact:
        return self.store.write(Location(bucket, key), content, media_type="")

    def job(self, content: bytes, *, options: dict[str, Any], **changes: Any) -> AnalyzeFaces:
        self.put("ingest", "people/a.jpg", content)
        source = {
            "bucket": "ingest", "key": "people/a.jpg", "version_id": None,
            "etag": self.store.stat(Location("ingest", "people/a.jpg")).etag,
            "sha256": hashlib.sha256(content).hexdigest(), "bytes": len(content),
            "media_type": "image/png", "width": 1, "height": 1,
        }  # fmt: skip
        fields = {
            "schema": 1, "job_id": "1", "execution": "e", "source": source, "model": NAME,
            "options": {"model": NAME, **options}, "models_bucket": "models",
            "weights_key": self.stage(), "work_bucket": "work", "work_prefix": "faces/1",
            "output_stem": "people/a",
        }  # fmt: skip
        return AnalyzeFaces.model_validate(fields | changes)

    def run(self, content: bytes, **options: Any) -> FacesAnalyzed:
        job = self.job(content, options=options)
        result = handler.__wrapped__(job, self.context)  # type: ignore[attr-defined]
        assert isinstance(result, FacesAnalyzed)
        return result

    def read(self, artifact: Artifact) -> bytes:
        return self.store.read(Location.parse(artifact.uri))

    def document(self, content: bytes, **options: Any) -> FacesDocument:
        return FacesDocument.model_validate_json(self.read(self.run(content, **options).faces))


def bench_with(tmp_path: Path, engine: Engine = "ssd") -> Bench:
    overlay = tmp_path / "catalogue.toml"
    overlay.write_text(stock_faces(tmp_path, NAME, engine))
    settings = Settings(catalogue_overlays=(overlay,), scratch=tmp_path / "scratch", threads=1)
    store = LocalStore(tmp_path / "store")
    return Bench(TaskContext(Workbench(root=ROOT, settings=settings, store=store)))


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return bench_with(tmp_path)


def png(pixels: Any, **how: Any) -> bytes:
    return saved(Image.fromarray(pixels), "PNG", **how)


def saved(image: Image.Image, kind: str, **how: Any) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, kind, **how)
    return buffer.getvalue()


class Lambda:
    """What a handler reads of its Lambda context."""

    aws_request_id = "r"
    function_version = "1"
    function_name = "f"
    memory_limit_in_mb = 1769
    invoked_function_arn = "arn:aws:lambda:eu-central-1:1:function:f"

    def get_remaining_time_in_millis(self) -> int:
        return 60_000

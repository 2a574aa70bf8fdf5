"""An embedding serves the encoder that made it, and no other of the same published weights."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import onnx
import onnxruntime as ort
import pytest
from onnx import numpy_helper

from containers.background_remover.engines import load_model
from containers.background_remover.masks import Prediction
from pipeline.artifacts import Artifact, LocalStore, Location
from pipeline.contracts.contract import SourcePhoto
from pipeline.contracts.cutout import RemoveBackground
from pipeline.model_context import catalogue_of
from pipeline.photo.prompts import Point, SubjectPrompt
from pipeline.weights.staged import (
    NamedArtifact,
    OptimisedNetwork,
    Proof,
    Runtime,
    StagedFile,
    StagedWeights,
)
from pipeline.workbench import Settings, TaskContext, Workbench
from tests.conftest import ROOT
from tests.models import Shelf
from tests.sam_models import CANVAS, encoder

ANYWHERE = Runtime(onnxruntime=ort.__version__, cpu=None)
PROOF = Proof(
    pictures=3, max_difference=0, max_difference_allowed=1e-3, mask_error=0, mask_error_allowed=1e-4
)


class Desk:
    """One photo, asked about by processes that all start anew and share a store."""

    def __init__(self, shelf: Shelf, folder: Path) -> None:
        self.store = LocalStore(folder / "store")
        self._settings = Settings(catalogue_overlays=(shelf.catalogue,), scratch=folder / "scratch")
        self._shelf = shelf

    def stage(self, *lean: onnx.ModelProto) -> None:
        """Put the pair into the models bucket, its encoder with networks made of it."""
        row = catalogue_of(self._process().bench).row("pointer")
        published = [
            self._put(file.name, (self._shelf.folder / file.name).read_bytes())
            for file in row.files
        ]
        made = tuple(
            OptimisedNetwork(
                source_sha256=published[0].sha256, runtime=ANYWHERE, precision="float32",
                rewrites={}, proof=PROOF, files=(self._named(model),),
            )
            for model in lean
        )  # fmt: skip
        files = tuple(
            StagedFile(
                name=file.name, digest=file.digest, source="file:///shelf", artifact=artifact,
                optimised=networks,
            )
            for file, artifact, networks in zip(row.files, published, (made, ()), strict=True)
        )  # fmt: skip
        weights = StagedWeights(model="pointer", licence="MIT", files=files)
        self._put("manifest.json", weights.model_dump_json().encode())

    def predict(self) -> Prediction:
        """What a new process makes of the photo: a point in the middle of a white one."""
        point = SubjectPrompt(points=(Point(x=20, y=15, label=1),))
        source = SourcePhoto(
            bucket="photos", key="cat.png", version_id=None, etag="", sha256="0" * 64, bytes=1,
            media_type="image/png", width=CANVAS[1], height=CANVAS[0],
        )  # fmt: skip
        job = RemoveBackground(
            schema_version=1, job_id="1", execution="e", source=source, model="pointer",
            prompts=(point,), models_bucket="models", weights_key="manifest.json",
            work_bucket="work", work_prefix="1",
        )  # fmt: skip
        context = self._process()
        model = load_model(catalogue_of(context.bench).row("pointer"), job, context)
        return model.predict(np.full((*CANVAS, 3), 255, np.uint8))

    @property
    def embeddings(self) -> list[Path]:
        return [path for path in (self.store.root / "work").rglob("*") if path.is_file()]

    def _process(self) -> TaskContext:
        return TaskContext(Workbench(root=ROOT, settings=self._settings, store=self.store))

    def _named(self, model: onnx.ModelProto) -> NamedArtifact:
        return NamedArtifact(
            name="lean.onnx", artifact=self._put("lean.onnx", model.SerializeToString())
        )

    def _put(self, key: str, content: bytes) -> Artifact:
        return self.store.write(Location("models", key), content, media_type="")


@pytest.fixture
def desk(shelf: Shelf, tmp_path: Path) -> Desk:
    return Desk(shelf, tmp_path)


def encoder_over(most: float) -> onnx.ModelProto:
    """The encoder, with another number where brightness is divided by 255."""
    model = encoder()
    (number,) = (tensor for tensor in model.graph.initializer if tensor.name == "most")
    number.CopyFrom(numpy_helper.from_array(np.array(most, np.float32), "most"))
    return model


def test_a_rewritten_encoder_makes_an_embedding_of_its_own(desk: Desk) -> None:
    desk.stage()
    published, published_again = desk.predict(), desk.predict()
    desk.stage(encoder_over(254))
    lean, lean_again = desk.predict(), desk.predict()

    cached = [
        each.figures["embedding_cached"] for each in (published, published_again, lean, lean_again)
    ]
    assert cached == [0, 1, 0, 1]
    assert len(desk.embeddings) == 2


@pytest.mark.parametrize("most", [0.0, math.nan], ids=["infinite", "nan"])
def test_an_embedding_that_is_no_number_is_not_kept(desk: Desk, most: float) -> None:
    desk.stage(encoder_over(most))

    with pytest.raises(ValueError, match="NaN or infinity"):
        desk.predict()
    assert not (desk.store.root / "work").exists()

"""What one local cloud staged is there for the next, optimised networks included."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any, cast

import boto3
import pytest

from pipeline.artifacts import Artifact
from pipeline.local.cloud import LocalCloud
from pipeline.local.deployment import NAMES
from pipeline.session.kept_weights import keep_weights
from pipeline.weights.staged import (
    NamedArtifact,
    OptimisedNetwork,
    Proof,
    Runtime,
    StagedFile,
    StagedWeights,
)

PROOF = Proof(
    pictures=3, max_difference=0, max_difference_allowed=1e-3, mask_error=0, mask_error_allowed=1e-4
)


class Cloud:
    """As much of a local cloud as keeping needs."""

    def client(self, service: str) -> Any:
        return boto3.client(service)


def put(s3: Any, key: str, content: bytes) -> Artifact:
    s3.put_object(Bucket=NAMES.bucket("models"), Key=key, Body=content)
    sha256 = hashlib.sha256(content).hexdigest()
    return Artifact(uri=f"s3://{NAMES.bucket('models')}/{key}", sha256=sha256, bytes=len(content))


def stage(s3: Any, lean: bytes) -> None:
    made = NamedArtifact(name="net.exact.onnx", artifact=put(s3, "net/1/net.exact.onnx", lean))
    network = OptimisedNetwork(
        source_sha256="0" * 64, runtime=Runtime(onnxruntime="1", cpu="abacus"),
        precision="float32", rewrites={}, proof=PROOF,
        files=(made,),
    )  # fmt: skip
    file = StagedFile(
        name="net.onnx", digest=f"md5:{'0' * 32}", source="s3://a/b",
        artifact=put(s3, "net/1/net.onnx", b"published"), optimised=(network,),
    )  # fmt: skip
    weights = StagedWeights(model="net", licence="MIT", files=(file,))
    put(s3, "net/1/manifest.json", weights.model_dump_json().encode())


@pytest.fixture
def models(s3: Any) -> Any:
    s3.create_bucket(Bucket=NAMES.bucket("models"))
    return s3


def keep(folder: Path) -> dict[str, bytes]:
    keep_weights(cast("LocalCloud", Cloud()), folder)
    found = (path for path in folder.rglob("*") if path.is_file())
    return {str(path.relative_to(folder)): path.read_bytes() for path in found}


def test_every_file_is_kept_where_the_bucket_has_it(models: Any, tmp_path: Path) -> None:
    stage(models, b"lean")

    kept = keep(tmp_path)

    assert sorted(kept) == ["net/1/manifest.json", "net/1/net.exact.onnx", "net/1/net.onnx"]
    assert (kept["net/1/net.exact.onnx"], kept["net/1/net.onnx"]) == (b"lean", b"published")


def test_what_was_optimised_anew_takes_the_place_of_what_was_kept(
    models: Any, tmp_path: Path
) -> None:
    stage(models, b"lean")
    keep(tmp_path)
    stage(models, b"thin")

    kept = keep(tmp_path)

    assert kept["net/1/net.exact.onnx"] == b"thin"
    stored = models.get_object(Bucket=NAMES.bucket("models"), Key="net/1/manifest.json")[
        "Body"
    ].read()
    assert kept["net/1/manifest.json"] == stored

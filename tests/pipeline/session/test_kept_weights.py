"""Complete models are kept between runs, and kept copies can be verified."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import boto3
import pytest
from moto import mock_aws

from pipeline.artifacts import Artifact
from pipeline.declared.models import ModelRow, PublishedFile, WeightsFile
from pipeline.local.cloud import LocalCloud
from pipeline.local.deployment import NAMES
from pipeline.session.kept_weights import ABSENT, OK, keep_weights, kept_source, verify_copies
from pipeline.weights.staged import (
    ConvertedNetwork,
    NamedArtifact,
    OptimisedNetwork,
    PassedTrial,
    Proof,
    Runtime,
    StagedFile,
    StagedManifest,
    StagedWeights,
)
from tests.models import PLAIN, REMOVER, SALIENCY

CONTENT = b"weights"
SHA256 = hashlib.sha256(CONTENT).hexdigest()
ROW = ModelRow(
    name="net",
    summary="For tests.",
    container=REMOVER,
    engine=SALIENCY,
    licence="MIT",
    commercial=True,
    memory_mb=512,
    table=PLAIN,
    files=(WeightsFile(name="w.onnx", digest=f"sha256:{SHA256}", bytes=len(CONTENT)),),
)
WEIGHTS = f"{ROW.weights_prefix}/w.onnx"
OPTIMISED = f"{ROW.weights_prefix}/w.exact.onnx"
PROOF = Proof(
    pictures=3, max_difference=0, max_difference_allowed=1e-3, mask_error=0, mask_error_allowed=1e-4
)


def artifact(key: str, sha256: str) -> Artifact:
    return Artifact(uri=f"s3://{NAMES.bucket('models')}/{key}", sha256=sha256, bytes=7)


PUBLISHER = "https://p.example/w"


def record(sha256: str = SHA256, *optimised: OptimisedNetwork, source: str = PUBLISHER) -> bytes:
    """Return a staged weights record."""
    file = StagedFile(
        name="w.onnx", digest=ROW.files[0].digest, source=source,
        artifact=artifact(WEIGHTS, sha256), optimised=optimised,
    )  # fmt: skip
    weights = StagedWeights(model="net", licence="MIT", files=(file,))
    return weights.model_dump_json().encode()


def optimised(content: bytes) -> OptimisedNetwork:
    file = artifact(OPTIMISED, hashlib.sha256(content).hexdigest())
    return OptimisedNetwork(
        source_sha256=SHA256, runtime=Runtime(onnxruntime="1", cpu="abacus"),
        precision="float32", rewrites={}, proof=PROOF,
        files=(NamedArtifact(name="w.exact.onnx", artifact=file),),
    )  # fmt: skip


@pytest.fixture
def cloud(monkeypatch: pytest.MonkeyPatch) -> Iterator[LocalCloud]:
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    with mock_aws():
        client: Any = boto3.client("s3")
        client.create_bucket(Bucket=NAMES.bucket("models"))
        yield cast("LocalCloud", SimpleNamespace(client=lambda _: client))


def put(cloud: LocalCloud, **objects: bytes) -> None:
    keys = {
        "weights": WEIGHTS,
        "optimised": OPTIMISED,
        "record": ROW.weights_key,
        "claim": f"{ROW.weights_prefix}/c",
    }
    for name, content in objects.items():
        cloud.client("s3").put_object(Bucket=NAMES.bucket("models"), Key=keys[name], Body=content)


def files_in(folder: Path) -> dict[str, bytes]:
    found = (path for path in folder.rglob("*") if path.is_file())
    return {str(path.relative_to(folder)): path.read_bytes() for path in found}


def test_only_complete_models_are_kept(cloud: LocalCloud, tmp_path: Path) -> None:
    put(cloud, weights=CONTENT, record=record(), claim=b"{}")

    keep_weights(cloud, tmp_path)

    assert files_in(tmp_path) == {WEIGHTS: CONTENT, ROW.weights_key: record()}


def test_the_manifest_of_a_file_is_kept_and_verified_too(cloud: LocalCloud, tmp_path: Path) -> None:
    described = artifact(OPTIMISED, SHA256)
    manifest = StagedManifest(
        name="w.exact.onnx", digest=f"sha256:{SHA256}", source=PUBLISHER, artifact=described
    )
    plain = StagedWeights.parse(record(), uri="")
    files = (plain.files[0].model_copy(update={"manifest": manifest}),)
    content = plain.model_copy(update={"files": files}).model_dump_json().encode()
    put(cloud, weights=CONTENT, record=content)

    keep_weights(cloud, tmp_path)
    assert files_in(tmp_path) == {}

    put(cloud, optimised=CONTENT)
    keep_weights(cloud, tmp_path)
    assert files_in(tmp_path).keys() == {WEIGHTS, OPTIMISED, ROW.weights_key}

    file = PublishedFile(name="w.exact.onnx", digest=f"sha256:{SHA256}", bytes=len(CONTENT))
    converted = ROW.files[0].model_copy(update={"manifest": file})
    row = ROW.model_copy(update={"files": (converted,)})
    for path in (WEIGHTS, OPTIMISED):
        target = tmp_path / row.weights_prefix / Path(path).name
        target.parent.mkdir(exist_ok=True)
        target.write_bytes(CONTENT)
    assert [(copy.file, copy.verdict) for copy in verify_copies(row, [tmp_path])] == [
        ("w.onnx", OK), ("w.exact.onnx", OK),
    ]  # fmt: skip
    target.write_bytes(CONTENT.upper())
    assert "the catalogue says" in verify_copies(row, [tmp_path])[1].verdict


def test_what_a_checkpoint_was_converted_to_is_kept_too(cloud: LocalCloud, tmp_path: Path) -> None:
    made = b"network"
    sha256 = hashlib.sha256(made).hexdigest()
    converted = ConvertedNetwork(
        source_sha256=SHA256, converter="ge2e", version=1,
        file=NamedArtifact(name="w.exact.onnx", artifact=artifact(OPTIMISED, sha256)),
    )  # fmt: skip
    plain = StagedWeights.parse(record(), uri="")
    files = (plain.files[0].model_copy(update={"converted": converted}),)
    content = plain.model_copy(update={"files": files}).model_dump_json().encode()
    put(cloud, weights=CONTENT, record=content)

    keep_weights(cloud, tmp_path)
    assert files_in(tmp_path) == {}

    put(cloud, optimised=made)
    keep_weights(cloud, tmp_path)

    kept = {WEIGHTS: CONTENT, OPTIMISED: made, ROW.weights_key: content}
    assert files_in(tmp_path) == kept


def test_optimised_networks_are_kept_too_and_replaced_by_newer_ones(
    cloud: LocalCloud, tmp_path: Path
) -> None:
    for content in (b"lean", b"thin"):
        latest = record(SHA256, optimised(content))
        put(cloud, weights=CONTENT, optimised=content, record=latest)

        keep_weights(cloud, tmp_path)

        kept = {WEIGHTS: CONTENT, OPTIMISED: content, ROW.weights_key: latest}
        assert files_in(tmp_path) == kept


@pytest.mark.parametrize(
    "objects",
    [
        {"weights": CONTENT},
        {"record": record()},
        {"weights": CONTENT, "record": record(SHA256, optimised(b"lean"))},
        {"weights": CONTENT, "record": b"{"},
    ],
    ids=["no record", "no weights", "no optimised network", "an invalid record"],
)
def test_an_incomplete_model_is_not_kept(
    cloud: LocalCloud, tmp_path: Path, objects: dict[str, bytes]
) -> None:
    put(cloud, **objects)

    keep_weights(cloud, tmp_path)

    assert files_in(tmp_path) == {}


def test_a_kept_copy_with_other_bytes_is_replaced(cloud: LocalCloud, tmp_path: Path) -> None:
    put(cloud, weights=CONTENT, record=record())
    (tmp_path / WEIGHTS).parent.mkdir(parents=True)
    (tmp_path / WEIGHTS).write_bytes(b"before")

    keep_weights(cloud, tmp_path)

    assert files_in(tmp_path)[WEIGHTS] == CONTENT


def test_a_kept_record_learns_of_a_trial_and_still_says_where_the_weights_came_from(
    cloud: LocalCloud, tmp_path: Path
) -> None:
    put(cloud, weights=CONTENT, record=record())
    keep_weights(cloud, tmp_path)
    again = StagedWeights.parse(record(source="file:///kept"), uri="")
    trial = PassedTrial(runtime=Runtime(onnxruntime="1", cpu="abacus"), declared_sha256=SHA256)
    tried = (again.files[0].model_copy(update={"trial": trial}),)
    put(cloud, record=again.model_copy(update={"files": tried}).model_dump_json().encode())

    keep_weights(cloud, tmp_path)

    (kept,) = StagedWeights.parse((tmp_path / ROW.weights_key).read_bytes(), uri="").files
    assert (kept.trial, kept.source) == (trial, PUBLISHER)


def verdicts(folder: Path) -> list[str]:
    return [copy.verdict for copy in verify_copies(ROW, [folder])]


@pytest.mark.parametrize("place", ["w.onnx", WEIGHTS])
@pytest.mark.parametrize(
    ("content", "verdict"),
    [
        (CONTENT, OK),
        (CONTENT[:-1], "6 bytes; the catalogue says 7"),
        (b"WEIGHTS", "sha256 14422b04…; the catalogue says 9a129038…"),
    ],
)
def test_a_copy_is_compared_with_the_catalogue(
    tmp_path: Path, place: str, content: bytes, verdict: str
) -> None:
    (tmp_path / place).parent.mkdir(parents=True, exist_ok=True)
    (tmp_path / place).write_bytes(content)

    (found,) = verify_copies(ROW, [tmp_path])

    assert (found.place, found.verdict) == (str(tmp_path / place), verdict)


def test_a_copy_is_compared_with_its_staged_weights_record(tmp_path: Path) -> None:
    (tmp_path / WEIGHTS).parent.mkdir(parents=True)
    (tmp_path / WEIGHTS).write_bytes(CONTENT)
    (tmp_path / ROW.weights_key).write_bytes(record("0" * 64))

    assert verdicts(tmp_path) == [f"sha256 {SHA256[:8]}…; it was staged as 00000000…"]


def test_an_invalid_record_is_reported(tmp_path: Path) -> None:
    (tmp_path / WEIGHTS).parent.mkdir(parents=True)
    (tmp_path / ROW.weights_key).write_bytes(b"{")

    invalid, absent = verdicts(tmp_path)

    assert ROW.weights_key in invalid
    assert absent == ABSENT


def test_weights_that_were_staged_again_from_the_kept_copy_name_no_source(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    folder = tmp_path / "matteline" / "weights"
    (folder / ROW.weights_prefix).mkdir(parents=True)
    kept = folder / ROW.weights_key

    kept.write_bytes(record())
    first = kept_source(ROW, "w.onnx")
    kept.write_bytes(record(source=(folder / WEIGHTS).as_uri()))

    assert (first, kept_source(ROW, "w.onnx")) == (PUBLISHER, None)

"""Weights are downloaded once, hashed once per process, and never used unless they match."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest
from pydantic import ValidationError

from pipeline.artifacts import Artifact, LocalStore, Location
from pipeline.errors import StoreUnavailable, WeightsMismatch, WeightsNotStaged
from pipeline.weights import LocalWeights, StagedFile, StagedWeights, sha256_of

MANIFEST = Location("models", "net/0123456789ab/manifest.json")
CONTENTS = {"net.onnx": b"first file", "net.data": b"second file"}


@pytest.fixture
def store(tmp_path: Path) -> LocalStore:
    return LocalStore(tmp_path / "store")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "scratch" / "weights"


def address(name: str) -> Location:
    return Location("models", f"net/0123456789ab/{name}")


def put(store: LocalStore, name: str, content: bytes) -> Artifact:
    return store.write(address(name), content, media_type="application/octet-stream")


def stage(store: LocalStore, contents: dict[str, bytes]) -> None:
    files = tuple(
        StagedFile(name=name, artifact=put(store, name, content))
        for name, content in contents.items()
    )
    manifest = StagedWeights(model="net", licence="MIT", files=files)
    store.write(MANIFEST, manifest.model_dump_json().encode(), media_type="application/json")


def downloads(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.glob("*"))


def test_every_file_of_a_model_comes_with_its_checksum(store: LocalStore, folder: Path) -> None:
    stage(store, CONTENTS)
    files = LocalWeights(store, folder).files(MANIFEST)

    assert [path.read_bytes() for path, _ in files] == list(CONTENTS.values())
    assert [digest for _, digest in files] == [
        hashlib.sha256(content).hexdigest() for content in CONTENTS.values()
    ]
    assert [path.name.partition("-")[2] for path, _ in files] == list(CONTENTS)


def test_a_warm_process_does_not_ask_the_store_again(store: LocalStore, folder: Path) -> None:
    stage(store, CONTENTS)
    weights = LocalWeights(store, folder)
    files = weights.files(MANIFEST)
    store._path(MANIFEST).unlink()

    assert weights.files(MANIFEST) == files


def test_another_process_reuses_what_lies_on_the_disk(store: LocalStore, folder: Path) -> None:
    stage(store, CONTENTS)
    files = LocalWeights(store, folder).files(MANIFEST)
    store._path(address("net.onnx")).unlink()

    assert LocalWeights(store, folder).files(MANIFEST) == files


def test_without_a_manifest_a_model_is_not_staged(store: LocalStore, folder: Path) -> None:
    put(store, "net.onnx", CONTENTS["net.onnx"])

    with pytest.raises(WeightsNotStaged, match="there is no s3://models/net/0123456789ab/manif"):
        LocalWeights(store, folder).files(MANIFEST)


def test_a_manifest_with_a_missing_file_is_not_staged(store: LocalStore, folder: Path) -> None:
    stage(store, CONTENTS)
    store._path(address("net.data")).unlink()

    with pytest.raises(WeightsNotStaged, match=r"net\.data is named by a manifest and missing"):
        LocalWeights(store, folder).files(MANIFEST)


def test_weights_are_found_once_they_are_staged(store: LocalStore, folder: Path) -> None:
    weights = LocalWeights(store, folder)
    with pytest.raises(WeightsNotStaged):
        weights.files(MANIFEST)
    stage(store, CONTENTS)

    assert len(weights.files(MANIFEST)) == 2


def test_bytes_that_changed_in_the_store_are_never_handed_out(
    store: LocalStore, folder: Path
) -> None:
    stage(store, CONTENTS)
    put(store, "net.onnx", b"somebody else's")

    with pytest.raises(WeightsMismatch, match=r"net\.onnx hashes to"):
        LocalWeights(store, folder).files(MANIFEST)
    assert downloads(folder) == []


def test_a_damaged_copy_is_refused_once_and_then_downloaded_again(
    store: LocalStore, folder: Path
) -> None:
    stage(store, CONTENTS)
    files = LocalWeights(store, folder).files(MANIFEST)
    files[0][0].write_bytes(b"half")
    weights = LocalWeights(store, folder)

    with pytest.raises(WeightsMismatch):
        weights.files(MANIFEST)
    assert weights.files(MANIFEST) == files
    assert files[0][0].read_bytes() == CONTENTS["net.onnx"]


class Unreachable(LocalStore):
    """Answers for manifests, and breaks off in the middle of everything else."""

    def download(self, location: Location, path: Path) -> None:
        path.write_bytes(b"hal")
        raise StoreUnavailable(f"S3 did not answer for {location.uri}")


def test_a_download_that_breaks_leaves_nothing_behind(store: LocalStore, folder: Path) -> None:
    stage(store, CONTENTS)

    with pytest.raises(StoreUnavailable):
        LocalWeights(Unreachable(store.root), folder).files(MANIFEST)
    assert downloads(folder) == []


@pytest.mark.parametrize("name", ["../../net.onnx", "/etc/net.onnx", "a/b/net.onnx"])
def test_a_file_name_cannot_leave_the_folder(store: LocalStore, folder: Path, name: str) -> None:
    artifact = put(store, "net.onnx", b"bytes")
    manifest = StagedWeights(
        model="net", licence="MIT", files=(StagedFile(name=name, artifact=artifact),)
    )
    store.write(MANIFEST, manifest.model_dump_json().encode(), media_type="application/json")
    ((path, _),) = LocalWeights(store, folder).files(MANIFEST)

    assert path.parent == folder


@pytest.mark.parametrize(
    "fields",
    [{"files": []}, {"extra": 1}, {"files": [{"name": "net.onnx"}]}, {"licence": None}],
)
def test_a_manifest_says_exactly_what_it_must(fields: dict[str, object]) -> None:
    artifact = {"uri": "s3://models/k", "sha256": "00", "bytes": 1}
    whole = {"model": "net", "licence": "MIT", "files": [{"name": "n", "artifact": artifact}]}

    assert StagedWeights.model_validate(whole).files[0].name == "n"
    with pytest.raises(ValidationError):
        StagedWeights.model_validate(whole | fields)


def test_a_file_is_hashed_with_sha_256(tmp_path: Path) -> None:
    (tmp_path / "abc").write_bytes(b"abc")

    assert sha256_of(tmp_path / "abc") == (
        "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    )

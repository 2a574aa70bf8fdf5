"""Weights are downloaded once, hashed once per process, and never used unless they match."""

from __future__ import annotations

import errno
import hashlib
import re
from pathlib import Path

import pytest
from pydantic import ValidationError

from pipeline.artifacts import Artifact, LocalStore, Location
from pipeline.declared.models import ModelRow, WeightsFile
from pipeline.errors import OutOfStorage, StoreUnavailable, WeightsMismatch, WeightsNotStaged
from pipeline.weights.local_weights import LocalWeights, checksums
from pipeline.weights.staged import StagedFile, StagedWeights
from tests.models import REMOVER, SAM

MANIFEST = Location("models", "net/0123456789ab/manifest.json")
CONTENTS = {"net.onnx": b"first file", "net.data": b"second file"}


def row(digests: dict[str, str | None]) -> ModelRow:
    """A catalogue row whose publisher states these digests."""
    return ModelRow(
        name="net",
        summary="For tests.",
        container=REMOVER,
        engine=SAM,  # of two files
        licence="MIT",
        commercial=True,
        memory_mb=512,
        table={"canvas": (48, 64)},
        files=tuple(WeightsFile(name=name, digest=text) for name, text in digests.items()),
    )


ROW = row(
    {
        "net.onnx": f"sha256:{hashlib.sha256(CONTENTS['net.onnx']).hexdigest()}",
        "net.data": f"md5:{hashlib.md5(CONTENTS['net.data'], usedforsecurity=False).hexdigest()}",
    }
)


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
        StagedFile(
            name=name,
            digest=f"sha256:{hashlib.sha256(content).hexdigest()}",
            source=f"https://publisher.example/{name}",
            artifact=put(store, name, content),
        )
        for name, content in contents.items()
    )
    manifest = StagedWeights(model="net", licence="MIT", files=files)
    store.write(MANIFEST, manifest.model_dump_json().encode(), media_type="application/json")


def downloads(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.glob("*"))


def test_every_file_of_a_model_comes_with_its_checksum(store: LocalStore, folder: Path) -> None:
    stage(store, CONTENTS)
    files = LocalWeights(store, folder).files(MANIFEST, ROW)

    assert [file.path.read_bytes() for file in files] == list(CONTENTS.values())
    assert [file.sha256 for file in files] == [
        hashlib.sha256(content).hexdigest() for content in CONTENTS.values()
    ]
    assert [file.path.name.partition("-")[2] for file in files] == list(CONTENTS)


def test_a_warm_process_does_not_ask_the_store_again(store: LocalStore, folder: Path) -> None:
    stage(store, CONTENTS)
    weights = LocalWeights(store, folder)
    files = weights.files(MANIFEST, ROW)
    store._path(MANIFEST).unlink()

    assert weights.files(MANIFEST, ROW) == files


def test_another_process_reuses_what_lies_on_the_disk(store: LocalStore, folder: Path) -> None:
    stage(store, CONTENTS)
    files = LocalWeights(store, folder).files(MANIFEST, ROW)
    store._path(address("net.onnx")).unlink()

    assert LocalWeights(store, folder).files(MANIFEST, ROW) == files


def test_a_folder_has_every_file_under_its_own_name(store: LocalStore, folder: Path) -> None:
    stage(store, CONTENTS)

    first = LocalWeights(store, folder).folder(MANIFEST, ROW)
    again = LocalWeights(store, folder).folder(MANIFEST, ROW)

    assert first == again
    assert {path.name: path.read_bytes() for path in first.iterdir()} == CONTENTS


def test_without_a_manifest_a_model_is_not_staged(store: LocalStore, folder: Path) -> None:
    put(store, "net.onnx", CONTENTS["net.onnx"])

    with pytest.raises(WeightsNotStaged, match="there is no s3://models/net/0123456789ab/manif"):
        LocalWeights(store, folder).files(MANIFEST, ROW)


def test_a_manifest_with_a_missing_file_is_not_staged(store: LocalStore, folder: Path) -> None:
    stage(store, CONTENTS)
    store._path(address("net.data")).unlink()

    with pytest.raises(WeightsNotStaged, match=r"net\.data is named by a manifest and missing"):
        LocalWeights(store, folder).files(MANIFEST, ROW)


def test_weights_are_found_once_they_are_staged(store: LocalStore, folder: Path) -> None:
    weights = LocalWeights(store, folder)
    with pytest.raises(WeightsNotStaged):
        weights.files(MANIFEST, ROW)
    stage(store, CONTENTS)

    assert len(weights.files(MANIFEST, ROW)) == 2


def test_bytes_that_changed_in_the_store_are_never_handed_out(
    store: LocalStore, folder: Path
) -> None:
    stage(store, CONTENTS)
    put(store, "net.onnx", b"somebody else's")

    with pytest.raises(WeightsMismatch, match=r"net\.onnx hashes to"):
        LocalWeights(store, folder).files(MANIFEST, ROW)
    assert downloads(folder) == []


def test_a_damaged_local_copy_is_downloaded_again(store: LocalStore, folder: Path) -> None:
    stage(store, CONTENTS)
    files = LocalWeights(store, folder).files(MANIFEST, ROW)
    files[0][0].write_bytes(b"half")

    assert LocalWeights(store, folder).files(MANIFEST, ROW) == files
    assert files[0][0].read_bytes() == CONTENTS["net.onnx"]


@pytest.mark.parametrize("algorithm", ["md5", "sha256"])
def test_a_manifest_cannot_vouch_for_bytes_the_catalogue_does_not_name(
    store: LocalStore, folder: Path, algorithm: str
) -> None:
    stage(store, CONTENTS | {"net.onnx": b"somebody else's, manifest and all"})
    digest = hashlib.new(algorithm, CONTENTS["net.onnx"], usedforsecurity=False).hexdigest()
    digests = {"net.onnx": f"{algorithm}:{digest}", "net.data": ROW.files[1].digest}

    with pytest.raises(WeightsMismatch, match="the catalogue"):
        LocalWeights(store, folder).files(MANIFEST, row(digests))
    assert downloads(folder) == []


def test_a_manifest_of_other_files_is_refused(store: LocalStore, folder: Path) -> None:
    stage(store, {"net.onnx": CONTENTS["net.onnx"]})

    with pytest.raises(WeightsMismatch, match="does not list the files of net"):
        LocalWeights(store, folder).files(MANIFEST, ROW)


@pytest.mark.parametrize("sha256", ["../victim", "00", "Z" * 64])
def test_a_checksum_that_is_none_cannot_name_a_file(
    store: LocalStore, folder: Path, sha256: str
) -> None:
    stage(store, CONTENTS)
    text = store.read(MANIFEST).decode()
    forged = re.sub(r'"sha256":"[0-9a-f]{64}"', f'"sha256":"{sha256}"', text)
    store.write(MANIFEST, forged.encode(), media_type="application/json")

    with pytest.raises(WeightsMismatch, match="no manifest of staged weights"):
        LocalWeights(store, folder).files(MANIFEST, ROW)


class Unreachable(LocalStore):
    """Answers for manifests, and breaks off in the middle of everything else."""

    def download(self, location: Location, path: Path) -> None:
        path.write_bytes(b"hal")
        raise StoreUnavailable(f"S3 did not answer for {location.uri}")


def test_a_download_that_breaks_leaves_nothing_behind(store: LocalStore, folder: Path) -> None:
    stage(store, CONTENTS)

    with pytest.raises(StoreUnavailable):
        LocalWeights(Unreachable(store.root), folder).files(MANIFEST, ROW)
    assert downloads(folder) == []


class Full(LocalStore):
    """Downloads to a disk that takes `errno` for an answer."""

    errno = errno.ENOSPC

    def download(self, location: Location, path: Path) -> None:
        path.write_bytes(b"hal")
        raise OSError(self.errno, f"no {location.key}")


def test_a_full_disk_has_a_name_and_says_how_much_is_needed(
    store: LocalStore, folder: Path
) -> None:
    stage(store, CONTENTS)

    with pytest.raises(OutOfStorage, match=r"net\.onnx needs 10 bytes of disk; [0-9,]+ are free"):
        LocalWeights(Full(store.root), folder).files(MANIFEST, ROW)
    assert downloads(folder) == []


def test_another_fault_of_the_disk_keeps_its_own_name(
    store: LocalStore, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stage(store, CONTENTS)
    monkeypatch.setattr(Full, "errno", errno.EIO)

    with pytest.raises(OSError, match=r"no net/"):
        LocalWeights(Full(store.root), folder).files(MANIFEST, ROW)


@pytest.mark.parametrize(
    "fields",
    [{"files": []}, {"extra": 1}, {"files": [{"name": "net.onnx"}]}, {"licence": None}],
)
def test_a_manifest_says_exactly_what_it_must(fields: dict[str, object]) -> None:
    artifact = {"uri": "s3://models/k", "sha256": "0" * 64, "bytes": 1}
    file = {"name": "n", "digest": f"md5:{'0' * 32}", "source": "s3://a/b", "artifact": artifact}
    whole = {"model": "net", "licence": "MIT", "files": [file]}

    assert StagedWeights.model_validate(whole).files[0].name == "n"
    with pytest.raises(ValidationError):
        StagedWeights.model_validate(whole | fields)


def test_a_file_is_hashed_both_ways_publishers_do(tmp_path: Path) -> None:
    (tmp_path / "abc").write_bytes(b"abc")

    assert checksums(tmp_path / "abc") == {
        "md5": "900150983cd24fb0d6963f7d28e17f72",
        "sha256": "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
    }

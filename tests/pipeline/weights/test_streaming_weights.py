"""A streaming network is loaded only if it was made of the staged weights, and its proof holds."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import pytest

from pipeline.artifacts import LocalStore, Location
from pipeline.declared.models import ModelRow, WeightsFile
from pipeline.errors import WeightsMismatch, WeightsNotStaged
from pipeline.weights.local_weights import LocalStream, LocalWeights
from pipeline.weights.staged import (
    CarriedState,
    NamedArtifact,
    Proof,
    StagedFile,
    StagedWeights,
    StreamNetwork,
)
from tests.models import SHIPPED

SHIPPED_ROW = SHIPPED.row("deepfilternet3")
NAMES = ("a.onnx", "b.onnx", "c.onnx")
MANIFEST = Location("models", "net/manifest.json")
STATES = (CarriedState(taken="state_0", given="state_0_next", shape=(1, 2)),)
PROOF = Proof(
    pictures=3, max_difference=5e-5, max_difference_allowed=1e-3,
    mask_error=1e-6, mask_error_allowed=1e-4,
)  # fmt: skip
FAR = PROOF.model_copy(update={"max_difference": 0.5, "max_difference_allowed": 1.0})


def digest_of(name: str) -> str:
    return hashlib.sha256(name.encode()).hexdigest()


ROW: ModelRow = SHIPPED_ROW.model_copy(
    update={
        "files": tuple(WeightsFile(name=name, digest=f"sha256:{digest_of(name)}") for name in NAMES)
    }
)


@pytest.fixture
def store(tmp_path: Path) -> LocalStore:
    return LocalStore(tmp_path / "store")


def stage(store: LocalStore, *, digest: str | None = None, **changes: Any) -> None:
    """Stage the three files; the last one's streaming network has these `changes`."""
    files = []
    for name in NAMES:
        published = store.write(Location("models", f"net/{name}"), name.encode(), media_type="")
        content = f"stream of {name}".encode()
        made = store.write(Location("models", f"net/made/{name}"), content, media_type="")
        stream = StreamNetwork(
            source_sha256=published.sha256, states=STATES, proof=PROOF,
            file=NamedArtifact(name=name, artifact=made),
        )  # fmt: skip
        last = name == NAMES[-1]
        files.append(
            StagedFile(
                name=name, digest=(last and digest) or f"sha256:{digest_of(name)}", source="x",
                artifact=published, stream=stream.model_copy(update=changes if last else {}),
            )
        )  # fmt: skip
    record = StagedWeights(model="net", licence="MIT", files=tuple(files))
    store.write(MANIFEST, record.model_dump_json().encode(), media_type="")


def test_all_streams_are_copied_with_their_states_and_nothing_else_is(
    store: LocalStore, tmp_path: Path
) -> None:
    stage(store)

    streams = LocalWeights(store, tmp_path / "weights").streams(MANIFEST, ROW)

    assert [each.path.read_text() for each in streams] == [f"stream of {name}" for name in NAMES]
    assert [each.sha256 for each in streams] == [digest_of(name) for name in NAMES]
    assert {each.states for each in streams} == {STATES}
    assert sorted(path.name for path in tmp_path.rglob("*.onnx") if "weights" in path.parts) == [
        *NAMES
    ]


def streams(store: LocalStore, tmp_path: Path) -> tuple[LocalStream, ...]:
    return LocalWeights(store, tmp_path / "weights").streams(MANIFEST, ROW)


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"source_sha256": "0" * 64}, "was made of other weights"),
        ({"digest": f"sha256:{'1' * 64}"}, "was made of other weights"),
        ({"proof": FAR}, "has a proof that does not hold"),
    ],
)
def test_another_networks_stream_is_never_loaded(
    store: LocalStore, tmp_path: Path, changes: dict[str, Any], why: str
) -> None:
    stage(store, **changes)

    with pytest.raises(WeightsMismatch, match=why):
        streams(store, tmp_path)


def test_a_damaged_stream_is_never_loaded(store: LocalStore, tmp_path: Path) -> None:
    stage(store)
    store.write(Location("models", "net/made/b.onnx"), b"other bytes", media_type="")

    with pytest.raises(WeightsMismatch, match=r"made/b\.onnx is not what its manifest says"):
        streams(store, tmp_path)


def test_a_missing_stream_is_not_staged(store: LocalStore, tmp_path: Path) -> None:
    stage(store)
    store._path(Location("models", "net/made/b.onnx")).unlink()

    with pytest.raises(WeightsNotStaged, match=r"made/b\.onnx"):
        streams(store, tmp_path)


def test_a_record_of_other_files_is_a_mismatch(store: LocalStore, tmp_path: Path) -> None:
    stage(store)
    fewer = ROW.model_copy(update={"files": ROW.files[:2]})

    with pytest.raises(WeightsMismatch, match="does not list the files"):
        LocalWeights(store, tmp_path / "weights").streams(MANIFEST, fewer)

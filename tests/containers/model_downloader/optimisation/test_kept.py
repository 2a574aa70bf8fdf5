"""A laptop optimises a network once, and again only when what it made no longer serves."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import onnxruntime as ort
import pytest

from containers.model_downloader import optimiser
from containers.model_downloader.kept import kept_file
from containers.model_downloader.optimisation.order import EDITION
from containers.model_downloader.optimiser import Optimiser, Outcome
from pipeline.artifacts import LocalStore
from pipeline.weights.local_weights import checksums
from pipeline.weights.staged import StagedFile, StagedWeights
from tests.containers.model_downloader.optimisation.desk import DIGEST, ROW, Try, place, stored


@pytest.fixture
def kept(published: Path, attempt: Try, store: LocalStore) -> Path:
    """What an earlier cloud staged, in a folder laid out as its models bucket."""
    content = published.read_bytes()
    plain = store.write(place("net.onnx"), content, media_type="")
    staged = StagedFile(
        name="net.onnx", digest=DIGEST, source="s3://a/b", artifact=plain,
        **attempt(published)._asdict(),
    )  # fmt: skip
    folder = store.root / "models"
    weights = StagedWeights(model="net", licence="MIT", files=(staged,))
    (folder / ROW.weights_key).parent.mkdir(parents=True)
    (folder / ROW.weights_key).write_text(weights.model_dump_json())
    return folder


def again(published: Path, kept: Path, tmp_path: Path) -> Outcome:
    """Staged into another store, with no time to optimise anything."""
    elsewhere = LocalStore(tmp_path / "elsewhere")
    return Optimiser(elsewhere, 4096, lambda: 0, kept).optimise(
        published, published.name, ROW, place
    )


def test_what_this_machine_optimised_before_is_published_again(
    published: Path, kept: Path, tmp_path: Path
) -> None:
    networks, reason, _ = again(published, kept, tmp_path)

    assert reason is None
    names = [file.name for network in networks for file in network.files]
    assert names[:2] == ["net.exact.onnx", "net.exact.onnx.data"]
    assert stored(LocalStore(tmp_path / "elsewhere")) == sorted(names)


def test_what_a_copy_must_be_is_what_its_manifest_says(
    published: Path, kept: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = {path.name: checksums(path)["sha256"] for path in kept.rglob("*") if path.is_file()}

    def checked_then_damaged(*given: Any) -> StagedFile | None:
        file = kept_file(*given)
        other_bytes(kept, published)
        return file

    monkeypatch.setattr(optimiser, "kept_file", checked_then_damaged)
    (network, _), *_ = again(published, kept, tmp_path)

    assert [file.artifact.sha256 for file in network.files] == [
        before[file.name] for file in network.files
    ]


def copy_of(kept: Path, name: str) -> Path:
    (path,) = kept.rglob(name)
    return path


def other_weights(_kept: Path, published: Path) -> None:
    published.write_bytes(published.read_bytes() + b"\x10\x00")


def other_bytes(kept: Path, _published: Path) -> None:
    copy_of(kept, "net.exact.onnx.data").write_bytes(b"half")


def a_missing_file(kept: Path, _published: Path) -> None:
    copy_of(kept, "net.exact.onnx").unlink()


def another_runtime(kept: Path, _published: Path) -> None:
    manifest = kept / ROW.weights_key
    text = manifest.read_text().replace(f'"onnxruntime":"{ort.__version__}"', '"onnxruntime":"1"')
    manifest.write_text(text)


def an_older_edition(kept: Path, _published: Path) -> None:
    changed(kept, edition=EDITION - 1)


def a_wide_proof_with_wider_bounds(kept: Path, _published: Path) -> None:
    changed(kept, proof={
        "pictures": 3, "max_difference": 0.5, "max_difference_allowed": 1.0,
        "mask_error": 0.5, "mask_error_allowed": 1.0,
    })  # fmt: skip


def changed(kept: Path, **facts: Any) -> None:
    """Say something else of the kept network."""
    manifest = json.loads((kept / ROW.weights_key).read_text())
    manifest["files"][0]["optimised"][0] |= facts
    (kept / ROW.weights_key).write_text(json.dumps(manifest))


def no_manifest_at_all(kept: Path, _published: Path) -> None:
    (kept / ROW.weights_key).write_text("{}")


@pytest.mark.parametrize(
    "spoil",
    [
        other_weights,
        other_bytes,
        a_missing_file,
        another_runtime,
        no_manifest_at_all,
        an_older_edition,
        a_wide_proof_with_wider_bounds,
    ],
)
def test_what_no_longer_serves_is_made_again(
    published: Path, kept: Path, tmp_path: Path, spoil: Callable[[Path, Path], None]
) -> None:
    spoil(kept, published)

    assert again(published, kept, tmp_path) == ((), "optimising ran out of time", None)

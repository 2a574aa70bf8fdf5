"""A model is staged whole, with its manifest last, or not at all."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from containers.model_downloader import staging
from pipeline.artifacts import LocalStore, Location
from pipeline.declared.catalogue import load_catalogue
from pipeline.errors import (
    UnknownModel,
    WeightsMismatch,
    WeightsUnavailable,
)
from pipeline.model_context import catalogue_of
from pipeline.weights.local_weights import LocalWeights
from pipeline.weights.staged import StagedWeights
from tests.conftest import ROOT
from tests.containers.model_downloader.desks import (
    NOTES,
    NOTES_SHA256,
    Bench,
    everything_in,
    stage,
)
from tests.models import Shelf, catalogue_row


def test_a_staged_model_is_one_that_can_be_loaded(
    bench: Bench, shelf: Shelf, store: LocalStore, tmp_path: Path
) -> None:
    result = stage(bench(), "brightness")

    weights = (shelf.folder / "brightness.onnx").read_bytes()
    manifest = Location.parse(result.manifest.uri)
    row = catalogue_of(bench().bench).row("brightness")
    (staged,) = LocalWeights(store, tmp_path / "elsewhere").files(manifest, row)
    assert staged.path.read_bytes() == weights
    assert staged.sha256 == hashlib.sha256(weights).hexdigest()
    assert (result.model, result.already_staged) == ("brightness", False)


def test_a_model_is_staged_under_its_revision(
    bench: Bench, shelf: Shelf, store: LocalStore
) -> None:
    result = stage(bench(), "brightness")

    row = load_catalogue(ROOT, [shelf.catalogue]).row("brightness")
    assert result.manifest.uri == f"s3://models/{row.weights_key}"
    content = store.read(Location("models", row.weights_key))
    assert result.manifest.sha256 == hashlib.sha256(content).hexdigest()
    assert result.manifest.bytes == len(content)


def test_every_file_is_staged_with_its_sha256_whatever_the_catalogue_states(
    bench: Bench, store: LocalStore, two_files: tuple[Path, str]
) -> None:
    mirror, row = two_files

    result = stage(bench(row, mirror=mirror), "two")

    manifest = store.read(Location.parse(result.manifest.uri))
    staged = StagedWeights.model_validate_json(manifest)
    decoder = (mirror / "the decoder.onnx").read_bytes()
    assert [file.name for file in staged.files] == ["two.encoder.onnx", "the decoder.onnx"]
    md5 = hashlib.md5(decoder, usedforsecurity=False).hexdigest()
    assert staged.files[1].digest == f"md5:{md5}"
    assert staged.files[1].source == (mirror / "the decoder.onnx").as_uri()
    assert staged.files[1].artifact.sha256 == hashlib.sha256(decoder).hexdigest()
    assert staged.files[1].artifact.bytes == len(decoder)
    assert store.read(Location.parse(staged.files[1].artifact.uri)) == decoder
    assert (staged.model, staged.licence) == ("two", "MIT")


def test_what_is_staged_is_left_alone(bench: Bench, store: LocalStore, tmp_path: Path) -> None:
    first = stage(bench(), "brightness")
    before = {path: path.stat().st_mtime_ns for path in everything_in(store.root)}

    again = stage(bench(mirror=tmp_path / "empty"), "brightness")

    assert again.already_staged
    assert again.manifest == first.manifest
    assert {path: path.stat().st_mtime_ns for path in everything_in(store.root)} == before


def test_force_stages_again(bench: Bench, shelf: Shelf, store: LocalStore) -> None:
    stage(bench(), "brightness")
    (damaged,) = (path for path in everything_in(store.root) if path.suffix == ".onnx")
    damaged.write_bytes(b"damaged")

    result = stage(bench(), "brightness", force=True)

    assert not result.already_staged
    assert damaged.read_bytes() == (shelf.folder / "brightness.onnx").read_bytes()


@pytest.mark.parametrize(
    ("content", "digest", "error"),
    [
        (None, "0" * 64, WeightsUnavailable),
        (b"other bytes", "0" * 64, WeightsMismatch),
        (NOTES, NOTES_SHA256, WeightsMismatch),
    ],
    ids=["absent", "other-bytes", "not-onnx"],
)
def test_a_model_that_will_not_do_stages_nothing(
    bench: Bench, tmp_path: Path, content: bytes | None, digest: str, error: type[Exception]
) -> None:
    (tmp_path / "mirror").mkdir()
    if content is not None:
        (tmp_path / "mirror" / "bad.onnx").write_bytes(content)

    with pytest.raises(error):
        stage(bench(catalogue_row("bad", digest), mirror=tmp_path / "mirror"), "bad")

    assert everything_in(tmp_path / "store") == []
    assert list((tmp_path / "scratch").iterdir()) == []


def test_scratch_is_empty_afterwards(bench: Bench, tmp_path: Path) -> None:
    stage(bench(), "brightness")

    assert list((tmp_path / "scratch").iterdir()) == []


def test_a_model_nobody_knows_is_named(bench: Bench) -> None:
    with pytest.raises(UnknownModel, match="'nobody'"):
        stage(bench(), "nobody")


# Two texts with one MD5, published by Wang and Yu in 2004; six bits differ.
COLLIDING = bytes.fromhex(
    "d131dd02c5e6eec4693d9a0698aff95c2fcab58712467eab4004583eb8fb7f89"
    "55ad340609f4b30283e488832571415a085125e8f7cdc99fd91dbdf280373c5b"
    "d8823e3156348f5bae6dacd436c919c6dd53e2b487da03fd02396306d248cda0"
    "e99f33420f577ee8ce54b67080a80d1ec69821bcb6a8839396f9652b6ff72a70"
)
COLLIDES_WITH = bytes(
    byte ^ (0x80 if place in {19, 45, 59, 83, 109, 123} else 0)
    for place, byte in enumerate(COLLIDING)
)


def test_an_md5_is_pinned_by_the_sha256_of_the_first_staging(
    bench: Bench, tmp_path: Path, store: LocalStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(staging, "require_working_network", lambda *_: None)  # neither is one
    md5 = hashlib.md5(COLLIDING, usedforsecurity=False).hexdigest()
    row = catalogue_row("one", "0" * 64).replace(f"sha256:{'0' * 64}", f"md5:{md5}")
    (tmp_path / "one.onnx").write_bytes(COLLIDING)
    first = stage(bench(row, mirror=tmp_path), "one")
    (tmp_path / "one.onnx").write_bytes(COLLIDES_WITH)

    with pytest.raises(WeightsMismatch, match=r"one\.onnx has sha256 .* is pinned"):
        stage(bench(row, mirror=tmp_path), "one", force=True)

    staged = StagedWeights.model_validate_json(store.read(Location.parse(first.manifest.uri)))
    assert store.read(Location.parse(staged.files[0].artifact.uri)) == COLLIDING


def test_a_manifest_nobody_can_read_pins_nothing_silently(bench: Bench, store: LocalStore) -> None:
    result = stage(bench(), "brightness")
    store.write(Location.parse(result.manifest.uri), b"{", media_type="application/json")

    with pytest.raises(WeightsMismatch, match="is no manifest of staged weights"):
        stage(bench(), "brightness", force=True)

"""A model is staged whole, with its manifest last, or not at all."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from containers.model_downloader.handler import handler
from pipeline.artifacts import Artifact, LocalStore, Location
from pipeline.contracts import StageWeights, WeightsStaged
from pipeline.errors import (
    InvalidOptions,
    StoreUnavailable,
    UnknownModel,
    WeightsMismatch,
    WeightsUnavailable,
)
from pipeline.manifest import load_catalogue
from pipeline.weights import LocalWeights, StagedWeights
from pipeline.workbench import Settings, TaskContext, Workbench
from tests.conftest import ROOT
from tests.models import Shelf, catalogue_row

NOTES = b"what the publisher wrote beside the weights"
NOTES_SHA256 = hashlib.sha256(NOTES).hexdigest()
NOTES_MD5 = hashlib.md5(NOTES, usedforsecurity=False).hexdigest()

Bench = Callable[..., TaskContext]


class HalfWorkingStore(LocalStore):
    """Takes one upload, then none."""

    uploads = 0

    def upload(self, path: Path, location: Location, *, sha256: str) -> Artifact:
        self.uploads += 1
        if self.uploads > 1:
            raise StoreUnavailable("no")
        return super().upload(path, location, sha256=sha256)


@pytest.fixture
def store(tmp_path: Path) -> LocalStore:
    return LocalStore(tmp_path / "store")


@pytest.fixture
def bench(shelf: Shelf, store: LocalStore, tmp_path: Path) -> Bench:
    """A workbench whose catalogue has `rows` besides the shelf's."""

    def build(*rows: str, mirror: Path = shelf.folder, onto: LocalStore = store) -> TaskContext:
        more = tmp_path / "more.toml"
        more.write_text("\n".join(rows))
        (tmp_path / "scratch").mkdir(exist_ok=True)
        settings = Settings(
            catalogue_overlays=(shelf.catalogue, more),
            weights_mirror=str(mirror),
            scratch=tmp_path / "scratch",
        )
        return TaskContext(Workbench(root=ROOT, settings=settings, store=onto))

    return build


@pytest.fixture
def two_files(shelf: Shelf, tmp_path: Path) -> tuple[Path, str]:
    """A mirror with weights and a second file, and a row that wants both."""
    content = (shelf.folder / "brightness.onnx").read_bytes()
    (tmp_path / "mirror").mkdir()
    (tmp_path / "mirror" / "two.onnx").write_bytes(content)
    (tmp_path / "mirror" / "read me.txt").write_bytes(NOTES)
    row = catalogue_row("two", hashlib.sha256(content).hexdigest())
    second = f'[[models.files]]\nname = "read me.txt"\ndigest = "md5:{NOTES_MD5}"\n'
    return tmp_path / "mirror", row + second


def stage(context: TaskContext, model: str, *, force: bool = False) -> WeightsStaged:
    job = StageWeights(schema_version=1, model=model, models_bucket="models", force=force)
    return handler.__wrapped__(job, context)  # type: ignore[attr-defined, no-any-return]


def everything_in(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.is_file())


def test_a_staged_model_is_one_that_can_be_loaded(
    bench: Bench, shelf: Shelf, store: LocalStore, tmp_path: Path
) -> None:
    result = stage(bench(), "brightness")

    weights = (shelf.folder / "brightness.onnx").read_bytes()
    manifest = Location.parse(result.manifest.uri)
    row = bench().catalogue.row("brightness")
    ((path, sha256),) = LocalWeights(store, tmp_path / "elsewhere").files(manifest, row)
    assert path.read_bytes() == weights
    assert sha256 == hashlib.sha256(weights).hexdigest()
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
    assert [file.name for file in staged.files] == ["two.onnx", "read me.txt"]
    assert staged.files[1].artifact.sha256 == NOTES_SHA256
    assert store.read(Location.parse(staged.files[1].artifact.uri)) == NOTES
    assert (staged.model, staged.licence) == ("two", "MIT")


def test_a_model_of_two_networks_is_staged_with_both(bench: Bench, store: LocalStore) -> None:
    result = stage(bench(), "pointer")

    manifest = store.read(Location.parse(result.manifest.uri))
    staged = StagedWeights.model_validate_json(manifest)
    assert [file.name for file in staged.files] == ["pointer.encoder.onnx", "pointer.decoder.onnx"]


def test_a_pair_in_the_wrong_order_is_not_staged(bench: Bench, store: LocalStore) -> None:
    first, second = bench().catalogue.row("pointer").files
    row = catalogue_row("muddled", second.digest.removeprefix("sha256:"))
    row = row.replace("muddled.onnx", second.name).replace('"saliency"', '"sam"')
    row = re.sub(r"(?s)\[models\.saliency\].*?\n\n", "[models.sam]\ncanvas = [48, 64]\n\n", row)
    last = f'[[models.files]]\nname = "{first.name}"\ndigest = "{first.digest}"\n'

    with pytest.raises(WeightsMismatch, match=r"^pointer\.decoder\.onnx takes"):
        stage(bench(row + last), "muddled")
    assert everything_in(store.root) == []


def test_a_hosted_model_has_nothing_to_stage(bench: Bench, store: LocalStore) -> None:
    with pytest.raises(InvalidOptions, match="hosted is hosted elsewhere"):
        stage(bench(), "hosted")
    assert everything_in(store.root) == []


def test_a_store_that_fails_on_the_way_leaves_no_manifest(
    bench: Bench, two_files: tuple[Path, str], tmp_path: Path
) -> None:
    mirror, row = two_files
    broken = HalfWorkingStore(tmp_path / "broken")

    with pytest.raises(StoreUnavailable):
        stage(bench(row, mirror=mirror, onto=broken), "two")

    assert [path.name for path in everything_in(broken.root)] == ["two.onnx"]


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

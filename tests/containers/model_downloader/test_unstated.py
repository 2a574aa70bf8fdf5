"""Without a publisher's digest, the first staging records one, and all others must match it."""

from __future__ import annotations

import dataclasses
import hashlib
import math
import shutil
from pathlib import Path

import pytest

from pipeline.artifacts import LocalStore, Location
from pipeline.errors import WeightsMismatch, WeightsUnavailable
from pipeline.model_context import catalogue_of
from pipeline.weights.local_weights import LocalWeights
from pipeline.weights.proxies import Proxies
from pipeline.weights.staged import StagedWeights
from pipeline.workbench import TaskContext, Workbench
from tests.conftest import ROOT
from tests.containers.model_downloader.desks import (
    CONTENT,
    SHA256,
    Bench,
    Desk,
    everything_in,
    stage,
    wanted,
)
from tests.containers.model_downloader.server import Web
from tests.models import Shelf, catalogue_row

ON_THE_HUB = "hf://ada/net@main/late.onnx"
SERVED_AT = "/ada/net/resolve/main/late.onnx"
ROW = catalogue_row("late", "0" * 64).replace(f"sha256:{'0' * 64}", "unstated")
ROW += f'urls = ["{ON_THE_HUB}"]\n'


class Laptop:
    """A machine that reaches the hub `web`, with a bucket and a folder of kept weights."""

    def __init__(self, bench: Bench, web: Web, folder: Path) -> None:
        self._bench, self._web, self.folder = bench, web, folder
        self.mirror, self.kept = folder / "mirror", folder / "kept"
        self.mirror.mkdir(parents=True)
        self.bucket = LocalStore(folder / "bucket")

    def stage(self, *, force: bool = False) -> StagedWeights:
        made = stage(self.context, "late", force=force)
        return StagedWeights.model_validate_json(
            self.bucket.read(Location.parse(made.manifest.uri))
        )

    @property
    def context(self) -> TaskContext:
        plain = self._bench(ROW, mirror=self.mirror, onto=self.bucket)
        settings = dataclasses.replace(
            plain.settings, kept=self.kept, environment={"HF_ENDPOINT": self._web.url}
        )
        bench = Workbench(root=ROOT, settings=settings, store=self.bucket)
        return TaskContext(bench, ends_at=math.inf)

    def keep(self) -> None:
        """Keep what was staged, and start again with an empty bucket, as a local cloud does."""
        shutil.move(self.folder / "bucket" / "models", self.kept)
        self.bucket = LocalStore(self.folder / "bucket")


@pytest.fixture
def laptop(bench: Bench, web: Web, tmp_path: Path) -> Laptop:
    return Laptop(bench, web, tmp_path / "laptop")


@pytest.fixture
def weights(shelf: Shelf) -> bytes:
    return (shelf.folder / "brightness.onnx").read_bytes()


@pytest.fixture
def others(shelf: Shelf) -> bytes:
    """Weights that work as well."""
    return (shelf.folder / "slow.onnx").read_bytes()


def test_the_first_staging_records_what_the_publisher_sent(
    laptop: Laptop, web: Web, weights: bytes, tmp_path: Path
) -> None:
    web.put(SERVED_AT, weights)

    (file,) = laptop.stage().files

    assert (file.digest, file.source) == (None, ON_THE_HUB)
    assert file.artifact.sha256 == hashlib.sha256(weights).hexdigest()
    row = catalogue_of(laptop.context.bench).row("late")
    place = Location("models", row.weights_key)
    (loaded,) = LocalWeights(laptop.bucket, tmp_path / "elsewhere").files(place, row)
    assert loaded.path.read_bytes() == weights


def test_a_function_loads_no_other_bytes_than_the_recorded_ones(
    laptop: Laptop, web: Web, weights: bytes, others: bytes, tmp_path: Path
) -> None:
    web.put(SERVED_AT, weights)
    (file,) = laptop.stage().files
    place = Location.parse(file.artifact.uri)
    laptop.bucket.write(place, others, media_type="")

    row = catalogue_of(laptop.context.bench).row("late")
    with pytest.raises(WeightsMismatch, match="the catalogue none"):
        LocalWeights(laptop.bucket, tmp_path).files(Location("models", row.weights_key), row)


def test_a_later_staging_must_match(
    laptop: Laptop, web: Web, weights: bytes, others: bytes
) -> None:
    web.put(SERVED_AT, weights)
    laptop.stage()
    before = [path.read_bytes() for path in everything_in(laptop.bucket.root)]
    web.put(SERVED_AT, others)

    with pytest.raises(WeightsMismatch, match=r"late\.onnx has sha256 .* is pinned by s3://models"):
        laptop.stage(force=True)
    assert [path.read_bytes() for path in everything_in(laptop.bucket.root)] == before


def test_a_new_bucket_must_match_what_this_machine_kept(
    laptop: Laptop, web: Web, weights: bytes, others: bytes
) -> None:
    web.put(SERVED_AT, weights)
    laptop.stage()
    laptop.keep()
    web.put(SERVED_AT, others)

    with pytest.raises(WeightsMismatch, match=f"is pinned by {laptop.kept}"):
        laptop.stage()
    assert everything_in(laptop.bucket.root) == []


def test_a_mirror_is_not_asked_for_what_nobody_has_recorded(
    laptop: Laptop, web: Web, weights: bytes, others: bytes
) -> None:
    (laptop.mirror / "late.onnx").write_bytes(others)

    with pytest.raises(WeightsUnavailable, match=r"late\.onnx \(not asked: the catalogue has no"):
        laptop.stage()
    web.put(SERVED_AT, weights)

    assert laptop.stage().files[0].source == ON_THE_HUB


def test_a_mirror_serves_what_was_recorded_and_nothing_else(
    laptop: Laptop, web: Web, weights: bytes, others: bytes
) -> None:
    web.put(SERVED_AT, weights)
    laptop.stage()
    laptop.keep()
    del web.pages[SERVED_AT]
    (laptop.mirror / "late.onnx").write_bytes(weights)

    assert laptop.stage().files[0].source == (laptop.mirror / "late.onnx").as_uri()
    (laptop.mirror / "late.onnx").write_bytes(others)
    with pytest.raises(WeightsMismatch, match="is pinned by"):
        laptop.stage(force=True)


def test_a_first_download_is_not_taken_unencrypted(desk: Desk) -> None:
    network = Proxies.from_environment({"HF_ENDPOINT": "http://hub.example"})
    file = wanted(ON_THE_HUB).model_copy(update={"digest": None})

    with pytest.raises(WeightsUnavailable, match="is not taken unencrypted"):
        desk.sources(network=network).fetch(file, desk.intake())


@pytest.mark.parametrize("host", ["127.0.0.1", "0.0.0.0"])  # noqa: S104 - both reach this machine
def test_nor_from_where_a_redirect_leaves_encryption(
    web: Web, other_web: Web, desk: Desk, host: str
) -> None:
    elsewhere = other_web.put("/storage/1", CONTENT).replace("127.0.0.1", host)
    web.put(SERVED_AT, location=elsewhere)
    network = Proxies.from_environment({"HF_ENDPOINT": web.url})
    file = wanted(ON_THE_HUB).model_copy(update={"digest": None})
    sources, intake = desk.sources(network=network), desk.intake()

    if host == "127.0.0.1":
        sources.fetch(file, intake)
        assert intake.checksums["sha256"] == SHA256
    else:
        with pytest.raises(WeightsUnavailable, match="redirects a file without a digest to plain"):
            sources.fetch(file, intake)
        sources.fetch(wanted(ON_THE_HUB), intake)

"""A network that the downloader optimised is the one the background remover runs."""

from __future__ import annotations

import functools
import hashlib
import json
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest

from containers.background_remover.handler import handler as remove_background
from containers.background_remover.network import Network, open_network
from containers.model_downloader import optimiser
from containers.model_downloader.handler import handler as stage_weights
from containers.model_downloader.optimisation.order import Lean, Order
from containers.model_downloader.optimiser import make_lean_apart
from pipeline.artifacts import Artifact, LocalStore, Location
from pipeline.contracts.contract import SourcePhoto
from pipeline.contracts.cutout import BackgroundRemoved, RemoveBackground
from pipeline.contracts.weights import StageWeights
from pipeline.errors import StoreUnavailable
from pipeline.model_context import catalogue_of
from pipeline.photo.pixels import Pixels
from pipeline.weights.staged import Runtime, StagedWeights
from pipeline.workbench import Settings, TaskContext, Workbench
from tests.bench.standins.u2net import SMALL_DOWN, SMALL_UP, u2net
from tests.conftest import ROOT
from tests.models import SIZE, catalogue_row
from tests.pictures import png, square, unpng


@pytest.fixture
def context(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> TaskContext:
    """A workbench whose catalogue has U-2-Net's graph on the tests' own size of photo."""
    monkeypatch.setattr("containers.background_remover.subject.SURE", 1)  # random weights are not
    (tmp_path / "mirror").mkdir()
    path = tmp_path / "mirror" / "lean.onnx"
    onnx.save(u2net(SMALL_DOWN, SMALL_UP, side=SIZE), path)
    row = catalogue_row("lean", hashlib.sha256(path.read_bytes()).hexdigest())
    (tmp_path / "models.toml").write_text(row)
    settings = Settings(
        catalogue_overlays=(tmp_path / "models.toml",),
        weights_mirror=str(tmp_path / "mirror"),
        scratch=tmp_path / "scratch",
    )
    return TaskContext(
        Workbench(root=ROOT, settings=settings, store=LocalStore(tmp_path / "store"))
    )


def stage(context: TaskContext, *, force: bool = False) -> StagedWeights:
    job = StageWeights(schema_version=1, model="lean", models_bucket="models", force=force)
    result = stage_weights.__wrapped__(job, context)  # type: ignore[attr-defined]
    content = context.store.read(Location.parse(result.manifest.uri))
    return StagedWeights.parse(content, uri=result.manifest.uri)


def remove(context: TaskContext) -> tuple[BackgroundRemoved, Pixels]:
    photo = context.store.write(Location("photos", "cat.png"), png(square()), media_type="")
    source = SourcePhoto(
        bucket="photos", key="cat.png", version_id=None, etag="", sha256=photo.sha256,
        bytes=photo.bytes, media_type="image/png", width=96, height=96,
    )  # fmt: skip
    job = RemoveBackground(
        schema_version=1, job_id="1", execution="e", source=source, model="lean",
        prompts=(), models_bucket="models", work_bucket="work", work_prefix="1",
        weights_key=catalogue_of(context.bench).row("lean").weights_key,
    )  # fmt: skip
    result: BackgroundRemoved = remove_background.__wrapped__(job, context)  # type: ignore[attr-defined]
    return result, unpng(context.store.read(Location.parse(result.mask.uri)))


def test_the_optimised_network_runs_and_makes_the_published_ones_mask(
    context: TaskContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    (staged,) = stage(context).files
    lean, lean_mask = remove(context)
    elsewhere = Runtime(onnxruntime="0.0.1", cpu="abacus")
    monkeypatch.setattr("containers.background_remover.engines.runtime", lambda: elsewhere)
    bench = Workbench(root=ROOT, settings=context.settings, store=context.store)
    plain_context = TaskContext(bench)
    plain, plain_mask = remove(plain_context)

    assert [network.runtime.cpu is None for network in staged.optimised] == [False, True]
    assert (lean.metrics["optimised"], plain.metrics["optimised"]) == (1.0, 0.0)
    assert context.notes == {"network": "optimised", "processor": "cpu"}
    assert "this is onnxruntime 0.0.1 on abacus" in plain_context.notes["network"]
    assert lean.weights_sha256 == plain.weights_sha256 == staged.artifact.sha256
    assert np.ptp(plain_mask) > 0
    np.testing.assert_allclose(lean_mask.astype(int), plain_mask.astype(int), atol=1)


class NoManifests(LocalStore):
    """Fails where a staging would be done."""

    def write(self, location: Location, content: bytes, *, media_type: str) -> Artifact:
        if location.key.endswith("/manifest.json"):
            raise StoreUnavailable("no")
        return super().write(location, content, media_type=media_type)


def test_a_restaging_that_dies_leaves_the_optimised_network_to_every_cold_start(
    context: TaskContext, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(optimiser, "make_lean_apart", made_otherwise)
    before = stage(context)
    broken = Workbench(root=ROOT, settings=context.settings, store=NoManifests(tmp_path / "store"))

    monkeypatch.setattr(optimiser, "make_lean_apart", functools.partial(made_otherwise, by=b"2"))
    with pytest.raises(StoreUnavailable):
        stage(TaskContext(broken), force=True)

    assert remove(context)[0].metrics["optimised"] == 1.0
    after = stage(context, force=True)
    assert after.files[0].artifact == before.files[0].artifact
    assert after.files[0].optimised != before.files[0].optimised


def made_otherwise(order: Order, *, seconds: float, by: bytes = b"1") -> Lean:
    """The same networks, with bytes of no consequence after their weights."""
    lean = make_lean_apart(order, seconds=seconds)
    for network in lean.networks:
        with network.files[1].open("ab") as weights:
            weights.write(by)
    return lean


def test_the_record_says_how_the_network_was_measured(context: TaskContext) -> None:
    (staged,) = stage(context).files

    (first, second) = (network.session for network in staged.optimised)
    assert first is not None
    assert first == second
    assert set(first.runs) == {"returned", "kept"}
    assert first.threads == context.settings.threads


@pytest.mark.parametrize(
    ("session", "kept"),
    [
        ({"memory": "kept", "threads": 1}, True),
        ({"memory": "returned", "threads": 1}, False),
        (None, False),
    ],
    ids=["kept", "returned", "an older record"],
)
def test_the_network_is_opened_as_its_record_says(
    context: TaskContext,
    monkeypatch: pytest.MonkeyPatch,
    session: object,
    kept: bool,  # noqa: FBT001
) -> None:
    weights = stage(context).model_dump(mode="json")
    for network in weights["files"][0]["optimised"]:
        del network["session"]
        if session:
            network["session"] = session
    at = Location("models", catalogue_of(context.bench).row("lean").weights_key)
    context.store.write(at, json.dumps(weights).encode(), media_type="application/json")
    opened: list[Network] = []

    def opening(*given: Any, **options: Any) -> Network:
        opened.append(open_network.__wrapped__(*given, **options))
        return opened[-1]

    monkeypatch.setattr("containers.background_remover.engines.open_network", opening)
    remove(context)

    (network,) = opened
    options = network.session.get_session_options()
    assert options.enable_cpu_mem_arena is kept
    assert options.enable_mem_reuse is kept

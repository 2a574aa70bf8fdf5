"""What cannot be searched for faces ends in a named error."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import numpy as np
import onnx
import pytest
from aws_lambda_powertools.utilities.typing import LambdaContext
from onnx import TensorProto, helper, numpy_helper

import tests.face_models as models
from containers.face_analyzer.handler import handler
from pipeline.artifacts import Artifact, LocalStore, Location
from pipeline.errors import (
    CorruptMedia,
    OutOfMemory,
    SourceChanged,
    SourceMissing,
    UnknownModel,
    UnsupportedMedia,
    WeightsMismatch,
    WeightsNotStaged,
)
from pipeline.task import equip
from pipeline.workbench import TaskContext, Workbench
from tests.conftest import ROOT
from tests.containers.face_analyzer.conftest import BOTH, Bench, Lambda, bench_with, png
from tests.face_models import Engine, photo


@pytest.mark.parametrize(
    ("content", "error"),
    [
        (b"no photo", UnsupportedMedia),
        (png(photo((40, 80, 40)))[:200], CorruptMedia),
    ],
)
def test_what_is_no_photo_is_named(bench: Bench, content: bytes, error: type[Exception]) -> None:
    with pytest.raises(error):
        bench.run(content)


def test_a_source_that_changed_or_went_is_named(bench: Bench) -> None:
    job = bench.job(png(photo()), options={})
    bench.put("ingest", "people/a.jpg", png(photo((160, 80, 80))))
    with pytest.raises(SourceChanged):
        handler.__wrapped__(job, bench.context)  # type: ignore[attr-defined]

    bench.store._path(Location("ingest", "people/a.jpg")).unlink()
    with pytest.raises(SourceMissing):
        handler.__wrapped__(job, bench.context)  # type: ignore[attr-defined]


def test_a_photo_replaced_during_the_call_gives_no_result(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is the last task before faces are published."""
    equip(bench.context.bench)
    job = bench.job(png(photo((160, 80, 80))), options={}, follows_latest=True)
    store = type(bench.store)
    write = store.write

    def replaced_meanwhile(self: LocalStore, place: Location, *given: Any, **more: Any) -> Artifact:
        write(self, Location("ingest", "people/a.jpg"), png(photo()), media_type="")
        return write(self, place, *given, **more)

    monkeypatch.setattr(store, "write", replaced_meanwhile)

    with pytest.raises(Exception, match="was replaced"):
        handler(job.model_dump(mode="json", by_alias=True), cast("LambdaContext", Lambda()))


def test_models_and_weights_that_are_missing_are_named(bench: Bench) -> None:
    content = png(photo())
    with pytest.raises(UnknownModel):
        handler.__wrapped__(  # type: ignore[attr-defined]
            bench.job(content, options={}, model="nobody"), bench.context
        )
    with pytest.raises(WeightsNotStaged):
        handler.__wrapped__(  # type: ignore[attr-defined]
            bench.job(content, options={}, weights_key="no/such.json"), bench.context
        )


def test_a_photo_too_large_for_the_memory_is_named(bench: Bench) -> None:
    small = Workbench(
        root=ROOT,
        settings=replace(bench.context.settings, memory_mb=1),
        store=bench.store,
    )

    with pytest.raises(OutOfMemory):
        handler.__wrapped__(  # type: ignore[attr-defined]
            bench.job(png(photo()), options={}), TaskContext(small)
        )


@pytest.mark.parametrize("broken", ["ssd", "landmarks", "expressions", "ages"])
def test_a_network_that_returns_no_numbers_is_named(
    tmp_path: Path, broken: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    build = getattr(models, broken)
    monkeypatch.setattr(models, broken, lambda: without_numbers(build()))
    bench = bench_with(tmp_path)

    with pytest.raises(WeightsMismatch, match="returned NaN or infinity for a photo"):
        bench.run(png(photo((160, 80, 80))), attributes=BOTH)


def without_numbers(model: onnx.ModelProto) -> onnx.ModelProto:
    """Take the logarithm of minus the size of what a network returns last."""
    graph = model.graph
    output = graph.output[-1]
    graph.node.append(helper.make_node("Abs", [output.name], ["size"]))
    graph.node.append(helper.make_node("Neg", ["size"], ["below"]))
    graph.node.append(helper.make_node("Sub", ["below", "below"], ["nothing"]))
    graph.node.append(helper.make_node("Div", ["nothing", "nothing"], ["no_number"]))
    output.name = "no_number"
    return model


@pytest.mark.parametrize(
    ("broken", "engine", "said"),
    [
        ("ssd", "ssd", r"returned 1×1×1 and .*, not 1×\d+×4 and 1×\d+"),
        ("tiny", "tiny-yolo", "returned 1×1×1, not 1×25×4×4"),
        ("landmarks", "ssd", "returned 1×1×1, not 1×136"),
        ("expressions", "ssd", "returned 1×1×1, not 1×7"),
        ("ages", "ssd", "returned 1×1×1 and 1×2, not 1×1 and 1×2"),
    ],
)
def test_a_network_with_outputs_of_other_shapes_is_named(
    tmp_path: Path, broken: str, engine: Engine, said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    build = getattr(models, broken)
    monkeypatch.setattr(models, broken, lambda: cut_short(build()))
    bench = bench_with(tmp_path, engine)

    with pytest.raises(WeightsMismatch, match=said):
        bench.run(png(photo((160, 80, 80))), attributes=BOTH)


def cut_short(model: onnx.ModelProto) -> onnx.ModelProto:
    """Keep one number of what a network returns first, and give it another axis."""
    graph = model.graph
    output = graph.output[0]
    graph.node.append(helper.make_node("ReduceMax", [output.name], ["most"], keepdims=0))
    graph.node.append(helper.make_node("Unsqueeze", ["most", "one_by_one"], ["short"]))
    graph.initializer.append(numpy_helper.from_array(np.array([0, 1, 2]), "one_by_one"))
    graph.output[0].CopyFrom(helper.make_tensor_value_info("short", TensorProto.FLOAT, None))
    return model


@pytest.mark.parametrize("sides", [1000.0, 60.0])
def test_a_box_without_end_is_named(
    tmp_path: Path, sides: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Boxes are powers of what the tiny detector returns. JSON has no infinity."""
    build = models.tiny

    def endless() -> onnx.ModelProto:
        model = build()
        (never,) = (each for each in model.graph.initializer if each.name == "never")
        values = numpy_helper.to_array(never).copy()
        values[0, 2:4] = sides
        never.CopyFrom(numpy_helper.from_array(values, "never"))
        return model

    monkeypatch.setattr(models, "tiny", endless)

    with pytest.raises(WeightsMismatch, match="returned an endless box for a photo"):
        bench_with(tmp_path, "tiny-yolo").run(png(photo((80, 80, 80))), min_score=0.05)

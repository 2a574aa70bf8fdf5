"""From a published network to a lean one that is proven to answer alike, or the reason why not."""

from __future__ import annotations

import gc
from pathlib import Path
from typing import Any, Final

import numpy as np
import onnx
import onnxruntime as ort

from containers.model_downloader.optimisation.graph import Graph
from containers.model_downloader.optimisation.offline import data_file, optimise_offline, save
from containers.model_downloader.optimisation.order import Lean, Order
from containers.model_downloader.optimisation.passes import rewritten
from containers.model_downloader.optimisation.pictures import Tensor, inputs
from containers.model_downloader.optimisation.proof import answers, compared
from containers.model_downloader.optimisation.quantisation import quantise
from containers.model_downloader.optimisation.rewriting import rewrite
from pipeline.staged import Precision, Proof

_QUANTISED: Final = "int8-matmul"


def make_lean(order: Order) -> Lean:
    """Rewrite, optimise, compare; in 8 bits if the order says so and they pass."""
    photos = _photos(order)
    if photos is None:
        return _lean(refused="its input takes no picture to compare answers on")
    exact, found = _optimised(order, "exact", quantised=False)
    plain = answers(order.network, photos)
    if not all(np.isfinite(answer).all() for answer in plain):
        return _lean(refused="it answers with values that are not numbers")
    proof = _proof(order, exact, plain, photos, precision="float32")
    if not proof.holds:
        return _lean(
            refused=f"it answers otherwise than the published network: {proof}", proof=proof
        )
    lean = _lean(files=(exact, data_file(exact)), rewrites=found, proof=proof)
    return _in_8_bits(order, lean, plain, photos) if order.quantise else lean


def _in_8_bits(order: Order, exact: Lean, plain: list[Tensor], photos: list[Tensor]) -> Lean:
    coarse, found = _optimised(order, _QUANTISED, quantised=True)
    if not found["int8"]:
        return exact.model_copy(update={"not_quantised": "it multiplies no matrices"})
    proof = _proof(order, coarse, plain, photos, precision=_QUANTISED)
    if not proof.holds:
        return exact.model_copy(update={"not_quantised": f"its masks differ too much: {proof}"})
    files = (coarse, data_file(coarse))
    return _lean(files=files, rewrites=found, precision=_QUANTISED, proof=proof)


def _optimised(order: Order, kind: str, *, quantised: bool) -> tuple[Path, dict[str, int]]:
    """The lean network of one kind, and what the passes found on the way to it."""
    middle = order.folder / f"{kind}.onnx"
    found = _rewrite(order.network, middle, quantised=quantised)
    gc.collect()
    target = order.folder / f"{order.network.stem}.{kind}.onnx"
    optimise_offline(middle, target)
    for path in (middle, data_file(middle)):
        path.unlink(missing_ok=True)
    return target, found


def _rewrite(source: Path, target: Path, *, quantised: bool) -> dict[str, int]:
    graph, found = rewritten(Graph.read(onnx.load(source)))
    if quantised:
        graph, found["int8"] = rewrite(graph, quantise)
    save(graph.write(), target)
    return found


def _proof(
    order: Order, lean: Path, plain: list[Tensor], photos: list[Tensor], *, precision: Precision
) -> Proof:
    given = answers(lean, photos, as_it_is=True)
    return compared(plain, given, precision=precision, activation=order.activation)


def _photos(order: Order) -> list[Tensor] | None:
    declared = onnx.load(order.network, load_external_data=False).graph
    known = {tensor.name for tensor in declared.initializer}
    taken = next(value for value in declared.input if value.name not in known)
    axes = taken.type.tensor_type.shape.dim
    if taken.type.tensor_type.elem_type != onnx.TensorProto.FLOAT:
        return None
    return inputs([axis.dim_value or None for axis in axes], side=order.side)


def _lean(**fields: Any) -> Lean:
    return Lean(onnxruntime=ort.__version__, **fields)

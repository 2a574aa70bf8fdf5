"""From a published network to lean ones that are proven to answer alike, or the reason why not."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnx
import onnxruntime as ort

from containers.model_downloader.optimisation.graph import Graph
from containers.model_downloader.optimisation.offline import data_file, optimise_offline, save
from containers.model_downloader.optimisation.order import Activation, Lean, LeanNetwork, Order
from containers.model_downloader.optimisation.passes import rewritten
from containers.model_downloader.optimisation.pictures import Tensor, inputs
from containers.model_downloader.optimisation.proof import answers, compared
from containers.model_downloader.optimisation.quantisation import quantise
from containers.model_downloader.optimisation.rewriting import rewrite
from pipeline.weights.staged import Precision


@dataclass(frozen=True)
class Judge:
    """Knows what the published network answers for each photo."""

    photos: list[Tensor]
    plain: list[Tensor]
    activation: Activation

    def network(
        self, path: Path, found: dict[str, int], *, any_cpu: bool, precision: Precision
    ) -> LeanNetwork:
        """The network with the proof that it answers alike, or does not."""
        given = answers(path, self.photos, as_it_is=not any_cpu)
        return LeanNetwork(
            files=(path, data_file(path)),
            any_cpu=any_cpu,
            precision=precision,
            rewrites=found,
            proof=compared(self.plain, given, precision=precision, activation=self.activation),
        )


def make_lean(order: Order) -> Lean:
    """Rewrite, optimise, compare; in 8 bits too if the order says so.

    The network laid out for this CPU comes first. One that was rewritten also comes in a form
    that every CPU runs, in as little memory, but that is laid out anew whenever it is loaded.
    """
    photos = _photos(order)
    if photos is None:
        return _lean(refused="its input takes no picture to compare answers on")
    plain = answers(order.network, photos)
    if not all(np.isfinite(answer).all() for answer in plain):
        return _lean(refused="it answers with values that are not numbers")
    judge = Judge(photos, plain, order.activation)
    exact, *portable = _exact(order, judge)
    if not exact.proven:
        return _lean(refused=f"it answers otherwise than the published network: {exact.proof}")
    networks = [exact, *(each for each in portable if each.proven)]
    return _with_8_bits(order, judge, networks) if order.quantise else _lean(networks)


def _with_8_bits(order: Order, judge: Judge, networks: list[LeanNetwork]) -> Lean:
    coarse = _coarse(order, judge)
    if coarse is None:
        return _lean(networks, not_quantised="it multiplies no matrices")
    if not coarse.proven:
        return _lean(networks, not_quantised=f"its masks differ too much: {coarse.proof}")
    return _lean([coarse, *networks])


def _exact(order: Order, judge: Judge) -> list[LeanNetwork]:
    graph, found = rewritten(Graph.read(onnx.load(order.network)))
    source, target = (_path(order, kind) for kind in ("rewritten", "exact"))
    save(graph.write(), source)
    del graph  # its weights are on disk, and the next step needs the memory
    optimise_offline(source, target)
    networks = [judge.network(target, found, any_cpu=False, precision="float32")]
    if any(found.values()):
        networks.append(judge.network(source, found, any_cpu=True, precision="float32"))
    return networks


def _coarse(order: Order, judge: Judge) -> LeanNetwork | None:
    """The network with its matrix products in 8 bits; None if it has none."""
    graph, found = rewritten(Graph.read(onnx.load(order.network)))
    graph, products = rewrite(graph, quantise)
    if not products:
        return None
    source, target = (_path(order, kind) for kind in ("quantised", "int8"))
    save(graph.write(), source)
    del graph
    optimise_offline(source, target)
    found = {**found, "int8": products}
    return judge.network(target, found, any_cpu=False, precision="int8-matmul")


def _path(order: Order, kind: str) -> Path:
    return order.folder / f"{order.network.stem}.{kind}.onnx"


def _photos(order: Order) -> list[Tensor] | None:
    declared = onnx.load(order.network, load_external_data=False).graph
    known = {tensor.name for tensor in declared.initializer}
    taken = next(value for value in declared.input if value.name not in known)
    if taken.type.tensor_type.elem_type != onnx.TensorProto.FLOAT:
        return None
    return inputs(order.shape)


def _lean(networks: Iterable[LeanNetwork] = (), **reasons: str) -> Lean:
    return Lean(onnxruntime=ort.__version__, networks=tuple(networks), **reasons)

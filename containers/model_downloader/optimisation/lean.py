"""Make optimised networks whose results match the published one's, or give the reason why not."""

from __future__ import annotations

import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import onnx
import onnxruntime as ort

from containers.model_downloader.optimisation.graph import Graph
from containers.model_downloader.optimisation.offline import data_file, optimise_offline, save
from containers.model_downloader.optimisation.order import Activation, Lean, LeanNetwork, Order
from containers.model_downloader.optimisation.passes import rewritten
from containers.model_downloader.optimisation.pictures import Tensor, inputs
from containers.model_downloader.optimisation.proof import answers, compared, published_answers
from containers.model_downloader.optimisation.quantisation import quantise
from containers.model_downloader.optimisation.rewriting import rewrite
from containers.model_downloader.optimisation.sounds import sounds
from pipeline.weights.staged import Precision

# File name parts: the network for every CPU, and the one for this CPU.
_KINDS: Final[dict[Precision, tuple[str, str]]] = {
    "float32": ("rewritten", "exact"),
    "int8-matmul": ("quantised", "int8"),
}


@dataclass(frozen=True)
class Judge:
    """The published network's results, `plain`, on the `drawn` inputs, to compare others with."""

    drawn: list[Tensor]
    plain: list[Tensor]
    activation: Activation
    outputs: int

    def network(
        self, path: Path, found: dict[str, int], *, any_cpu: bool, precision: Precision
    ) -> LeanNetwork:
        """Run the network and return it with its comparison."""
        started = time.process_time()
        given = answers(path, self.drawn, outputs=self.outputs, as_it_is=not any_cpu)
        run_ms = (time.process_time() - started) * 1000 / len(self.drawn)
        return LeanNetwork(
            files=(path, data_file(path)),
            any_cpu=any_cpu,
            precision=precision,
            rewrites=found,
            proof=compared(self.plain, given, precision=precision, activation=self.activation),
            run_ms=run_ms,
        )


def make_lean(order: Order) -> Lean:
    """Rewrite, optimise and compare a network; in 8 bits too if the order asks for it.

    The network laid out for this CPU comes first. A rewritten one also comes in a form for every
    CPU, which needs as little memory but is laid out again on each load.
    """
    drawn = _drawn(order)
    if drawn is None:
        return _lean(refused="its input is neither image nor sound, so results cannot be compared")
    outputs = max(1, order.outputs)
    plain = published_answers(order.network, drawn, outputs=outputs, memory_mb=order.memory_mb)
    if not all(np.isfinite(answer).all() for answer in plain):
        return _lean(refused="it returns NaN or infinity")
    judge = Judge(drawn, plain, order.activation, outputs)
    exact = _networks(order, judge, "float32")
    if not exact[0].proven:
        return _lean(refused=f"its results differ from the published network's: {exact[0].proof}")
    networks = _proven(exact)
    return _with_8_bits(order, judge, networks) if order.quantise else _lean(networks)


def _with_8_bits(order: Order, judge: Judge, networks: list[LeanNetwork]) -> Lean:
    coarse = _networks(order, judge, "int8-matmul")
    if not coarse:
        return _lean(networks, not_quantised="it has no matrix products")
    if not coarse[0].proven:
        return _lean(networks, not_quantised=f"its answers differ too much: {coarse[0].proof}")
    return _lean([*_proven(coarse), *networks])


def _networks(order: Order, judge: Judge, precision: Precision) -> list[LeanNetwork]:
    """Return the network for this CPU and, if it was rewritten, the one for every CPU.

    Returns none in 8 bits if the network has no matrix products.
    """
    graph = Graph.read(onnx.load(order.network))
    graph, found = rewritten(graph.first_outputs(order.outputs) if order.outputs else graph)
    if precision == "int8-matmul":
        graph, products = rewrite(graph, quantise)
        if not products:
            return []
        found = {**found, "int8": products}
    source, target = (_path(order, kind) for kind in _KINDS[precision])
    save(graph.write(), source)
    del graph  # its weights are on disk, and the next step needs the memory
    optimise_offline(source, target)
    networks = [judge.network(target, found, any_cpu=False, precision=precision)]
    if any(found.values()):
        networks.append(judge.network(source, found, any_cpu=True, precision=precision))
    return networks


def _proven(networks: Iterable[LeanNetwork]) -> list[LeanNetwork]:
    return [network for network in networks if network.proven]


def _path(order: Order, kind: str) -> Path:
    return order.folder / f"{order.network.stem}.{kind}.onnx"


def _drawn(order: Order) -> list[Tensor] | None:
    declared = onnx.load(order.network, load_external_data=False).graph
    known = {tensor.name for tensor in declared.initializer}
    taken = next(value for value in declared.input if value.name not in known)
    if taken.type.tensor_type.elem_type != onnx.TensorProto.FLOAT:
        return None
    if order.sound_hz is not None:
        return sounds(order.shape[-1], order.sound_hz)
    return inputs(order.shape)


def _lean(networks: Iterable[LeanNetwork] = (), **reasons: str) -> Lean:
    return Lean(onnxruntime=ort.__version__, networks=tuple(networks), **reasons)

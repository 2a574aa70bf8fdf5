"""Matrix products in 8 bits: smaller and quicker, and no longer exact."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from containers.model_downloader.optimisation.graph import Graph, Node, require
from containers.model_downloader.optimisation.rewriting import Replacement

_LARGEST = 127


def quantise(graph: Graph, node: Node) -> Replacement:
    """x·w with a constant w: each column of w in steps of its own, x in steps found as it comes.

    Products of one weight share its 8-bit copy, so that no second one is kept.
    """
    require(node.op == "MatMul" and not node.domain, "it multiplies matrices")
    weight = graph.array(node.inputs[1])
    require(weight.ndim == 2 and weight.dtype == np.float32, "by a matrix of numbers")
    step = np.maximum(np.abs(weight).max(axis=0), np.finfo(np.float32).tiny) / _LARGEST
    whole, steps = f"{node.inputs[1]}/int8", f"{node.inputs[1]}/step"
    constants = {whole: np.round(weight / step).astype(np.int8), steps: step.astype(np.float32)}
    output = node.outputs[0]
    source, source_step, zero, product, number, scale = (
        f"{output}/{part}" for part in ("source", "step", "zero", "product", "number", "scale")
    )
    coarse = Node.make("DynamicQuantizeLinear", node.inputs[:1], source)
    nodes = (
        replace(coarse, outputs=(source, source_step, zero)),
        Node.make("MatMulInteger", (source, whole, zero), product),
        Node.make("Cast", (product,), number, to=1),
        Node.make("Mul", (source_step, steps), scale),
        Node.make("Mul", (number, scale), output),
    )
    return Replacement(nodes, constants)

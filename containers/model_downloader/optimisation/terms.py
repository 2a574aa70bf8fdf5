"""Define expressions over a graph's values, and check that one computes a value."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np

from containers.model_downloader.optimisation.graph import Array, Graph, NoMatch, require

_COMMUTATIVE: Final = {"Add", "Mul"}


@dataclass(frozen=True, eq=False)
class Term:
    """`op` applied to `arguments`: terms, names of values, or arrays that must be constants."""

    op: str
    arguments: tuple[Term | str | Array, ...]
    attributes: Mapping[str, Any] = field(default_factory=dict)


def term(op: str, *arguments: Term | str | Array, **attributes: Any) -> Term:
    return Term(op, arguments, attributes)


def require_computed(graph: Graph, name: str, expected: Term | str | Array) -> None:
    """Raise NoMatch unless the expression `expected` computes the value `name`."""
    if isinstance(expected, str):
        require(name == expected, f"{name} is not {expected}")
    elif isinstance(expected, Term):
        _require_operation(graph, name, expected)
    else:
        actual = graph.array(name)
        require(np.array_equal(actual.ravel(), expected.ravel()), f"{name} has another value")


def _require_operation(graph: Graph, name: str, expected: Term) -> None:
    node = graph.maker(name, expected.op)
    for key, value in expected.attributes.items():
        require(node.attribute(key) == value, f"{name} has another {key}")
    require(len(node.inputs) == len(expected.arguments), f"{name} has another number of inputs")
    orders = [node.inputs]
    if expected.op in _COMMUTATIVE:
        orders.append(node.inputs[::-1])
    for order in orders:
        try:
            for actual, argument in zip(order, expected.arguments, strict=True):
                require_computed(graph, actual, argument)
        except NoMatch:
            continue
        return
    raise NoMatch(f"{name} is computed differently")

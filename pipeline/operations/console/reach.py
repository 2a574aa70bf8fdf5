"""List the state machines that the console shows, and what it may do with each."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from pipeline.declared.containers import ContainerManifest
from pipeline.declared.products import Product

_SHOWN: Final = "DescribeStateMachine"


class Reach:
    """The machines that a container's manifest names, with the actions that it declares."""

    def __init__(self, manifest: ContainerManifest, products: Sequence[Product]) -> None:
        of_products = {product.machine: frozenset(manifest.executions) for product in products}
        of_others = {each.name: frozenset(each.actions) for each in manifest.machines}
        declared: Mapping[str, frozenset[str]] = {**of_products, **of_others}
        self._actions = {
            name: actions for name, actions in sorted(declared.items()) if _SHOWN in actions
        }

    def __iter__(self) -> Iterator[str]:
        """Yield the machines, by name."""
        return iter(self._actions)

    def __contains__(self, machine: str) -> bool:
        return machine in self._actions

    def allows(self, action: str, machine: str) -> bool:
        return action in self._actions.get(machine, frozenset())

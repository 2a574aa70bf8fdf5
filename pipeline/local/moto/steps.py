"""Make moto 5.2.5 do the same work in fewer steps.

As in `compat`, each function fixes one defect; the same tests show that it is needed.
"""

from __future__ import annotations

import copy
import functools
from types import SimpleNamespace
from typing import Any, Final

from moto.core import responses
from moto.dynamodb.parsing.ast_nodes import DepthFirstTraverser, Node
from moto.dynamodb.parsing.validators import ActionCountValidator
from moto.moto_server.werkzeug_app import DomainDispatcherApplication
from moto.sqs import models as sqs

from pipeline.local.moto.interpreter import (
    event_manager,
    execute_state,
    result_path,
    state_task_service,
    states,
    string_expression,
)

_ATOMS: Final = frozenset({str, int, float, bool, type(None)})
_COPYING: Final = (
    event_manager,
    execute_state,
    result_path,
    state_task_service,
    states,
    string_expression,
)


def apply() -> None:
    """Apply all patches; `compat.apply` calls this once per process."""
    _copy_json_simply()
    _traverse_simply()
    _count_actions_once()
    _spell_names_once()
    _find_services_once()


def copied(value: Any) -> Any:
    """Return a deep copy; of JSON in a tenth of the time that `copy.deepcopy` takes."""
    kind = type(value)
    if kind is dict:
        return {
            name: each if type(each) in _ATOMS else copied(each) for name, each in value.items()
        }
    if kind is list:
        return [each if type(each) in _ATOMS else copied(each) for each in value]
    return value if kind in _ATOMS else copy.deepcopy(value)


def _copy_json_simply() -> None:
    """Each state copies its input ten times and more, which is a third of an execution's time."""
    for module in _COPYING:
        module.copy = SimpleNamespace(deepcopy=copied, copy=copy.copy)


def _traverse_simply() -> None:
    """Each check of an update expression asks of each node anew what it is to do with it."""

    def traverse(self: Any, node: Any, child_id: int = -1) -> Any:
        processing = vars(self).get("processing")
        if processing is None:
            processing = self.processing = self._processing_map()
        kind: Any = type(node)
        if not _is_node(kind):
            return node
        for index, child in enumerate(node.children or ()):
            self.pre_processing_of_child(node, index)
            traverse(self, child, index)
        process = next((do for each, do in processing.items() if isinstance(node, each)), None)
        if process:
            parent = node.parent
            node = process(node)
            node.parent = parent
            if parent:
                parent.children[child_id] = node
        return node

    DepthFirstTraverser.traverse_node_recursively = traverse


@functools.cache
def _is_node(kind: type) -> bool:
    return issubclass(kind, Node)


def _count_actions_once() -> None:
    """The clauses of an update expression are counted for each node that has some below it."""

    def traverse(self: Any, node: Any) -> Any:
        return self.verify_action_counts(node)

    ActionCountValidator.traverse = traverse


def _spell_names_once() -> None:
    """Names of actions and attributes are spelt anew for each request, letter by letter."""
    spell = functools.lru_cache(maxsize=1_000)(responses.camelcase_to_underscores)
    responses.camelcase_to_underscores = sqs.camelcase_to_underscores = spell


def _find_services_once() -> None:
    """Each request compares its host with the patterns of all services."""
    find = DomainDispatcherApplication.get_backend_for_host

    @functools.lru_cache(maxsize=1_000)
    def found(self: Any, host: str | None) -> Any:
        return find(self, host)

    DomainDispatcherApplication.get_backend_for_host = found

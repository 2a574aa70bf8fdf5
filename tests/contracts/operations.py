"""What the platform's own functions answer by: plain dataclasses, read as contracts are."""

from __future__ import annotations

from dataclasses import MISSING, fields, is_dataclass
from importlib import import_module
from typing import Any, NamedTuple, get_type_hints

from pydantic import create_model

from pipeline.contracts.contract import Contract


class Task(NamedTuple):
    """The two halves of a contract, as a handler signs it."""

    job: type[Contract]
    result: type[Contract]


def operation_task(name: str) -> Task:
    """The first and the last dataclass of `pipeline/functions/<name>/contract.py`."""
    module = import_module(f"pipeline.functions.{name.replace('-', '_')}.contract")
    declared = [value for value in vars(module).values() if isinstance(value, type)]
    first, *_, last = [each for each in declared if is_dataclass(each)]
    return Task(as_contract(first), as_contract(last))


def as_contract(kind: type) -> type[Contract]:
    """The same fields as a contract has them, nested ones too."""
    hints = get_type_hints(kind)
    columns: dict[str, Any] = {
        each.name: (_typed(hints[each.name]), ... if each.default is MISSING else each.default)
        for each in fields(kind)
    }
    return create_model(kind.__name__, __base__=Contract, **columns)


def _typed(hint: Any) -> Any:
    return as_contract(hint) if is_dataclass(hint) and isinstance(hint, type) else hint

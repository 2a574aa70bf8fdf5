"""The rules that each state machine keeps: functions that yield the problems they find."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterator, Mapping
from types import ModuleType
from typing import Final

from tests.contracts import (
    batch_rules,
    catch_rules,
    data_rules,
    hand_over_rules,
    machines,
    record_rules,
    retry_rules,
    shape_rules,
    task_rules,
)
from tests.contracts.asl import Machine
from tests.contracts.declared import Declared, Rule
from tests.contracts.roles import Role
from tests.contracts.slips import Slip

OF_EVERY_MACHINE: Final[tuple[Rule, ...]] = (
    *shape_rules.RULES,
    *task_rules.RULES,
    *retry_rules.RULES,
    *catch_rules.RULES,
    *data_rules.RULES,
)
OF_ROLE: Final[Mapping[Role, tuple[Rule, ...]]] = {
    Role.PRODUCT: (
        *catch_rules.OF_PRODUCTS,
        *record_rules.OF_PRODUCTS,
        *hand_over_rules.OF_PRODUCTS,
        *batch_rules.OF_PRODUCTS,
    ),
    Role.PREPARING: (catch_rules.permanent_errors_are_caught,),
    Role.COLLECTING: (catch_rules.permanent_errors_are_caught,),
}


def rules_of(machine: Machine, declared: Declared) -> tuple[Rule, ...]:
    """Return the rules of every machine, of the machine's role, and of the machine itself."""
    own = (rule for module in _modules(machine.name) for rule in getattr(module, "RULES", ()))
    return (*OF_EVERY_MACHINE, *OF_ROLE.get(declared.role_of(machine), ()), *own)


def slips_of(machine: str) -> tuple[Slip, ...]:
    """Return the slips that a machine brings."""
    return tuple(slip for module in _modules(machine) for slip in getattr(module, "SLIPS", ()))


def _modules(machine: str) -> Iterator[ModuleType]:
    """Import `machines/<name>.py`, or every module of the package `machines/<name>/`."""
    name = f"{machines.__name__}.{machine.replace('-', '_')}"
    found = pkgutil.walk_packages(machines.__path__, f"{machines.__name__}.")
    for each in found:
        if f"{each.name}.".startswith(f"{name}."):
            yield importlib.import_module(each.name)

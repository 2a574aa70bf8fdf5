"""Every rule a state machine keeps: a function that yields the problems it finds."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Final

from tests.contracts import (
    batch_rules,
    catch_rules,
    data_rules,
    reap_rules,
    release_rules,
    retry_rules,
    shape_rules,
    task_rules,
)
from tests.contracts.asl import Machine
from tests.contracts.declared import Declared

Rule = Callable[[Machine, Declared], Iterator[str]]

RULES: Final[tuple[Rule, ...]] = (
    *shape_rules.RULES,
    *task_rules.RULES,
    *retry_rules.RULES,
    *catch_rules.RULES,
    *data_rules.RULES,
    *release_rules.RULES,
    *reap_rules.RULES,
    *batch_rules.RULES,
)

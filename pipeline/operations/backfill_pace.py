"""How many objects of a backfill run at a time, so that what people upload finds room.

Lambda shares an account's concurrency out to whoever asks first. A backfill therefore takes no more
than half of it: the cap on its executions is what holds it back.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from pipeline import hardware
from pipeline.operations.site import Site

MOST_AT_ONCE: Final = 10_000  # of a distributed Map
_SHARE: Final = 2  # a backfill has one part of so many
_LAMBDA: Final = "arn:aws:states:::lambda:invoke"


def find_concurrency(site: Site) -> int:
    """Return how many functions of the stage's account and region may run at once.

    The local cloud has no such limit: it has cores.
    """
    if site.local:
        return _SHARE * hardware.cores()
    limits = site.client("lambda").get_account_settings()["AccountLimit"]
    return int(limits["ConcurrentExecutions"])


def default_cap(concurrency: int, at_once: int) -> int:
    """Return how many executions may run, if each calls up to `at_once` functions at a time."""
    return max(1, min(MOST_AT_ONCE, concurrency // _SHARE // at_once))


def calls_at_once(definition: Mapping[str, Any], option: int) -> int:
    """Return how many functions an execution calls at a time at most: at least one.

    `definition` is a state machine, or the ItemProcessor of a Map. `option` is the value of a Map's
    MaxConcurrencyPath. What nested executions call is not counted.
    """
    return max(1, _most(definition, option))


def _at_once(state: Mapping[str, Any], option: int) -> int:
    if state["Type"] == "Parallel":
        return sum(_most(branch, option) for branch in state["Branches"])
    if state["Type"] == "Map":
        items = option if "MaxConcurrencyPath" in state else state.get("MaxConcurrency", 1)
        return int(items) * _most(state["ItemProcessor"], option)
    return int(state.get("Resource") == _LAMBDA)


def _most(part: Mapping[str, Any], option: int) -> int:
    return max(_at_once(state, option) for state in part["States"].values())

"""Compares the states that every product's machine has, all but the product's own names."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any, Final, NamedTuple

from pipeline.declared.products import Product
from tests.contracts.asl import Body, Machine

SHARED: Final = (
    "NameOtherMachine",
    "ReadRequest",
    "NameRequestedMachine",
    "HandOver",
    "HandedOver",
    "Claim",
    "FindFirstResult",
    "FirstDone?",
    "FindRecord",
    "RecordOwn?",
    "FindOutputs",
    "ReleaseFirst",
    "Duplicate",
    "PublishRecord",
    "Record",
    "Announce",
    "NameAfterExecution",
    "ReadCause",
    "Quarantine",
    "RecordQuarantine",
    "Quarantined",
    "RecordFailure",
    "Failed",
)
# What a product says of itself there. These fields all of them have, and all of them alike.
_SAID: Final[Mapping[str, tuple[str, ...]]] = {
    "PublishRecord": ("Parameters", "Body"),
    "Announce": ("Parameters", "Entries", "0", "Detail"),
}
_COMMON: Final = frozenset(
    {
        "schema",
        "product",
        "job_id.$",
        "source.$",
        "options.$",
        "manifest.$",
        "execution.$",
        "inspected_at.$",
        "published_at.$",
    }
)
_LINKS: Final = ("Next", "Default")
# A product that follows its source looks for it on the way.
_DETOURS: Final = {"PhotoToLookFor?": "Announce"}


class ProductMachine(NamedTuple):
    product: Product
    machine: Machine


def differences(first: ProductMachine, other: ProductMachine) -> Iterator[str]:
    """Yield each state of `other` that is missing, or is not as in the `first` machine."""
    theirs = other.machine.definition["States"]
    for name in SHARED:
        if name not in theirs:
            yield f"{name}: {other.machine.name} has no such state"
        elif _neutral(first, name) != _neutral(other, name):
            yield f"{name}: not as in {first.machine.name}"


def _neutral(one: ProductMachine, name: str) -> Any:
    """The state without the product's names, its own fields, and ways to states of its own."""
    body: Body = one.machine.definition["States"][name]
    return _kept(_renamed(body, one), _SAID.get(name))


def _renamed(value: Any, one: ProductMachine) -> Any:
    if isinstance(value, dict):
        return {name: _field(name, each, one) for name, each in value.items()}
    if isinstance(value, list):
        return [_renamed(each, one) for each in value]
    if not isinstance(value, str):
        return value
    return value.replace(_detail_type(one), "(detail type)")


def _field(name: str, value: Any, one: ProductMachine) -> Any:
    if name in _LINKS:
        leads = _DETOURS.get(value, value)
        return leads if leads in SHARED else "(a state of its own)"
    if name == "machine" and value != one.machine.name:
        return "(another's machine)"
    own = {"product": one.product.name, "machine": one.machine.name}.get(name.removeprefix(":"))
    return "(its own)" if own and value in (own, {"S": own}) else _renamed(value, one)


def _detail_type(one: ProductMachine) -> str:
    (entry,) = one.machine.definition["States"]["Announce"]["Parameters"]["Entries"]
    return str(entry["DetailType"])


def _kept(state: Any, said: tuple[str, ...] | None) -> Any:
    if said is None:
        return state
    copy = json.loads(json.dumps(state))
    *above, last = said
    place = copy
    for part in above:
        place = place[int(part) if part.isdigit() else part]
    place[last] = {name: value for name, value in place[last].items() if name in _COMMON}
    return copy

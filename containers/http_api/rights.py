"""Who may do what with a collection: operators manage it, and those that it allows search it.

For everybody else there is no such collection.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final, Literal

from containers.http_api.current import Current
from containers.http_api.errors import IndexBusy, OperatorsOnly
from containers.http_api.principal import Principal
from pipeline.contracts.collection import Collection
from pipeline.errors import CollectionMissing
from pipeline.operations.collections import describe_collection
from pipeline.operations.invoking import FunctionBusy

Right = Literal["search", "manage"]
_NAME: Final = re.compile(r"[a-z0-9]([a-z0-9-]{0,38}[a-z0-9])?")


def rights(principal: Principal, collection: Collection) -> tuple[Right, ...]:
    """Return what a principal may do with a collection."""
    if principal.operator:
        return ("search", "manage")
    return ("search",) if principal.name in collection.allowed else ()


def searcher_of(principal: Principal) -> str | None:
    """Return for whom collections are described and searched; None for an operator, who sees all.

    The vector index hides the others itself: so an answer neither fails nor takes longer because
    of a collection that the caller may not know of.
    """
    return None if principal.operator else principal.name


def find_collection(current: Current, name: str) -> Collection:
    """Return a collection that the caller may search.

    Raises CollectionMissing if there is none, and the same for one that the caller may not search.
    """
    principal = current.principal
    with hiding(name), answering():
        return describe_collection(
            current.site, name, asked_by=principal.name, searcher=searcher_of(principal)
        )


@contextmanager
def hiding(name: str) -> Iterator[None]:
    """Raise CollectionMissing in the same words, whatever the reason; at once for no real name."""
    missing = CollectionMissing(f"there is no collection {name!r:.100}")
    if not _NAME.fullmatch(name):
        raise missing
    try:
        yield
    except CollectionMissing as error:
        raise missing from error


def require_operator(current: Current, name: str) -> None:
    """Raise CollectionMissing or OperatorsOnly unless the caller may manage the collection.

    A caller who may not even search it is told as if it did not exist. For an operator, nothing is
    looked up.
    """
    if not current.principal.operator:
        find_collection(current, name)
        raise OperatorsOnly("the caller may only search the collection")


@contextmanager
def answering() -> Iterator[None]:
    """Raise IndexBusy if the function that searches collections does not answer in time."""
    try:
        yield
    except FunctionBusy as error:
        raise IndexBusy("the vector index has not answered") from error

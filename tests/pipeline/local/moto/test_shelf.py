"""Values on a shelf outlive whatever happens to those beside them."""

from __future__ import annotations

import contextlib
import functools
import math
import os
import sqlite3
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from pipeline.local.moto import shelf as shelf_module
from pipeline.local.moto import spill as spill_module
from pipeline.local.moto.shelf import Shelf
from pipeline.local.moto.spill import spill

MANY = 200


@pytest.fixture
def no_room(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A disk that is full: the file of values may not grow."""
    monkeypatch.setattr(shelf_module, "IN_USE_S", 0)
    database = spill()._database
    before = database.execute("PRAGMA max_page_count").fetchone()[0]
    database.execute("PRAGMA max_page_count = 1")  # as many as there are
    yield
    database.execute(f"PRAGMA max_page_count = {before}")


def fill(shelf: Shelf, prefix: str) -> None:
    for number in range(MANY):
        shelf[f"{prefix}{number}"] = os.urandom(4_000)


def test_what_is_changed_while_it_is_in_use_stays_changed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shelf_module, "IN_USE_S", math.inf)
    shelf = Shelf()
    shelf["first"] = {}
    held = shelf["first"]
    fill(shelf, "before")

    held["changed"] = True

    monkeypatch.setattr(shelf_module, "IN_USE_S", 0)
    fill(shelf, "after")
    assert shelf["first"] is not held
    assert shelf["first"] == {"changed": True}


@pytest.mark.usefixtures("no_room")
def test_a_full_disk_refuses_what_comes_and_loses_nothing_that_is_there() -> None:
    shelf, kept = Shelf(), dict[str, bytes]()

    def put_all() -> None:
        for number in range(MANY):
            content = os.urandom(4_000)
            shelf[f"{number}"] = content
            kept[f"{number}"] = content

    with pytest.raises(sqlite3.OperationalError, match="full"):
        put_all()

    assert kept
    assert {name: content for name, content in shelf.items() if name in kept} == kept


def test_two_who_ask_first_at_once_get_one_spill(monkeypatch: pytest.MonkeyPatch) -> None:
    meeting = threading.Barrier(2, timeout=1)

    def make() -> object:
        with contextlib.suppress(threading.BrokenBarrierError):
            meeting.wait()
        return object()

    monkeypatch.setattr(spill_module, "_make", functools.cache(make))
    with ThreadPoolExecutor(2) as two:
        first, second = two.map(lambda _: spill(), range(2))

    assert first is second

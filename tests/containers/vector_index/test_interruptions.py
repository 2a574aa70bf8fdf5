"""A task that is killed between any two of its writes, and repeated, ends as if it never was."""

from __future__ import annotations

import re
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Final

import pytest

from containers.vector_index.head import read_head
from pipeline.artifacts import LocalStore
from pipeline.contracts.contract import Result
from pipeline.errors import CollectionMissing
from pipeline.workbench import Settings, TaskContext, Workbench
from tests.conftest import ROOT
from tests.containers.vector_index.desk import ASKED, Desk, vector
from tests.containers.vector_index.dying import DyingStore, Killed, Moment

Act = Callable[[Desk], object]
SHA256: Final = re.compile(r"[0-9a-f]{64}")
LONGEST: Final = 60  # writes of a task: no test waits for more
AT: Final = ASKED + timedelta(days=1)  # after all that `fresh` does


@dataclass(frozen=True)
class End:
    """What a collection is in the end. Names of objects with a nonce do not count."""

    alive: tuple[tuple[str, int, str | None], ...]
    kinds: tuple[str, ...]
    said: str


def end_of(desk: Desk, said: object) -> End:
    """Return what is there, and what the task said. Receipts and exports are among the objects."""
    keys = {SHA256.sub("…", key) for key in desk.objects()}
    try:
        alive = tuple(desk.alive())
    except CollectionMissing:
        alive = ()
    return End(alive, tuple(sorted(keys)), repr(said))


def fresh(folder: Path) -> Desk:
    """A desk with a filled collection: three people on three photos; one was forgotten."""
    store = LocalStore(folder / "store")
    settings = Settings(scratch=folder / "scratch")
    desk = Desk(store, TaskContext(Workbench(root=ROOT, settings=settings, store=store)))
    desk.create("staff")
    for number, person in enumerate(("ada", "bob", "eve")):
        desk.enroll(desk.record(f"{person}.jpg", [vector(number)]), person=person)
    desk.forget(person="eve")
    desk.record("new.jpg", [vector(7), vector(8)])
    return desk


def create(desk: Desk) -> object:
    return desk.create("other", asked_at=AT)


def enroll(desk: Desk) -> object:
    found = desk.enroll("new_faces.record.json", person="zoe", asked_at=AT)
    return found.vectors  # a repeated one knows what the killed one enrolled


def forget(desk: Desk) -> object:
    return said(desk.forget(person="ada", asked_at=AT))


def forget_source(desk: Desk) -> object:
    desk.store.erase(desk.photo("bob.jpg"))
    return desk.forget_source("bob.jpg", asked_at=AT).collections


def compact(desk: Desk) -> object:
    found = desk.compact(force=True, asked_at=AT)
    return found.vectors, found.segments  # what is erased by the killed one is not erased again


def delete(desk: Desk) -> object:
    return desk.delete(asked_at=AT).collection


def said(result: Result) -> object:
    """A result without what two runs never have in common."""
    return result.model_dump(
        exclude={"metrics": True, "receipt": {"sha256", "bytes"}, "erased_by": True}
    )


ACTS: Final[dict[str, Act]] = {
    act.__name__: act for act in (create, enroll, forget, forget_source, compact, delete)
}


def on(store: DyingStore, desk: Desk) -> Desk:
    """The same desk, whose tasks write through another store. Its process is a new one."""
    bench = Workbench(root=ROOT, settings=desk.context.settings, store=store)
    return Desk(store, TaskContext(bench), clock=desk.clock)


def writes_of(act: Act, desk: Desk) -> list[str]:
    counting = DyingStore(desk.store)
    act(on(counting, desk))
    return counting.writes


@pytest.mark.parametrize("moment", ["before", "after"])
@pytest.mark.parametrize("act", ACTS.values(), ids=ACTS)
def test_killed_at_any_write_and_repeated_it_ends_the_same(
    act: Act, moment: Moment, tmp_path: Path
) -> None:
    whole = fresh(tmp_path / "whole")
    writes = writes_of(act, whole)
    assert 0 < len(writes) <= LONGEST
    wanted = end_of(whole, act(whole))  # a repeated one says what it says after an end

    for number in range(1, len(writes) + 1):
        desk = fresh(tmp_path / f"killed-{number}")
        dying = DyingStore(desk.store, dies_at=number, moment=moment)
        with pytest.raises(Killed):
            act(on(dying, desk))

        assert_head_is_whole(desk)
        act(on(DyingStore(desk.store), desk))
        assert end_of(desk, act(desk)) == wanted, f"killed {moment} {dying.writes[-1]}"


def assert_head_is_whole(desk: Desk) -> None:
    """Everything that the head names is there and is what it says, whatever was killed."""
    with suppress(CollectionMissing):
        head = read_head(desk.places, "staff").head
        assert [row[0] for row in desk.alive()] or head.state == "open"

"""What stays in memory between searches: segments that a head names, of the latest collections."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from containers.vector_index.backends import warm
from containers.vector_index.backends.backend import Question
from containers.vector_index.backends.warm import OTHER_MB, Warm, warm_of
from containers.vector_index.comparing.flat import Flat
from containers.vector_index.comparing.hnsw import Hnsw
from containers.vector_index.comparing.ivf import Ivf
from containers.vector_index.comparing.recall import EFFORT
from containers.vector_index.stored.head import Index, ObjectGone
from containers.vector_index.stored.tombstones import Rules
from pipeline.artifacts import Content, LocalStore, Location
from pipeline.contracts.collection import IndexKind
from pipeline.errors import CollectionTooLarge, SegmentMismatch
from tests.containers.vector_index.faces import people
from tests.containers.vector_index.shelf import Shelf

ANN = people(1, 6, 128, seed=10)
PEOPLE = people(100, 10, 32)
MB = 2**20


class Counting(LocalStore):
    """A store that notes what is read."""

    def __init__(self, root: Path) -> None:
        super().__init__(root)
        self.seen: list[str] = []

    def stream(self, location: Location) -> Iterator[bytes]:
        if "segments" in location.key:
            self.seen.append("segment")
        return super().stream(location)

    def read_if_changed(self, location: Location, *, etag: str | None) -> Content | None:
        found = super().read_if_changed(location, etag=etag)
        self.seen.append("same head" if found is None else "head")
        return found

    def read(self, location: Location) -> bytes:
        if "tombstones" in location.key:
            self.seen.append("tombstones")
        return super().read(location)

    def since(self) -> list[str]:
        seen, self.seen = self.seen, []
        return seen


@pytest.fixture
def shelf(tmp_path: Path) -> Shelf:
    return Shelf(Counting(tmp_path / "store"), tmp_path / "scratch").create()


def fetched(shelf: Shelf) -> list[str]:
    assert isinstance(shelf.store, Counting)
    return shelf.store.since()


def as_elsewhere(shelf: Shelf) -> None:
    """Forget the copies on disk that enrolling left: another function enrolled."""
    for path in (shelf.places.scratch / shelf.head.id).glob("*"):
        path.unlink()
    if isinstance(shelf.store, Counting):
        fetched(shelf)


def test_a_search_fetches_segments_once(shelf: Shelf) -> None:
    shelf.enroll(ANN[:2]).enroll(ANN[2:4])
    as_elsewhere(shelf)

    shelf.search(ANN[:1])
    assert fetched(shelf) == ["head", "segment", "segment"]

    shelf.search(ANN[:1])
    assert fetched(shelf) == ["same head"]


def test_a_search_fetches_only_the_new_segment(shelf: Shelf) -> None:
    shelf.enroll(ANN[:2])
    shelf.search(ANN[:1])
    shelf.enroll(ANN[2:4])
    as_elsewhere(shelf)

    assert len(shelf.found(ANN[0])) == 4

    assert fetched(shelf) == ["head", "segment"]


def test_a_forgotten_person_costs_no_segment(shelf: Shelf) -> None:
    shelf.enroll(ANN, people=["ann"] * 6)
    shelf.search(ANN[:1])
    shelf.forget_person("ann")
    as_elsewhere(shelf)

    assert shelf.found(ANN[0]) == []

    assert fetched(shelf) == ["head", "tombstones"]


def test_replaced_segments_leave_memory_and_disk(shelf: Shelf) -> None:
    shelf.enroll(ANN[:3]).enroll(ANN[3:])
    shelf.search(ANN[:1])
    memory = warm_of(shelf.places.scratch, shelf.memory_mb)
    before = memory.bytes
    old = {each.sha256 for each in shelf.head.segments}

    shelf.publish(lambda head: head.but(segments=())).enroll(ANN[:2], keys=["a", "b"])

    assert set(shelf.keys(ANN[2])) == {"a", "b"}
    assert memory.bytes == before // 3
    files = {path.stem for path in (shelf.places.scratch / shelf.head.id).glob("*.safetensors")}
    assert files == {each.sha256 for each in shelf.head.segments}
    assert not files & old


def test_replaced_segments_that_were_never_searched_leave_the_disk_too(shelf: Shelf) -> None:
    shelf.enroll(ANN[:2])
    old = shelf.head.segments
    shelf.publish(lambda head: head.but(segments=()))
    shelf.enroll(ANN[2:4])
    as_left_by_an_enrolment = shelf.places.scratch / shelf.head.id
    assert len(list(as_left_by_an_enrolment.glob("*.safetensors"))) == 2

    shelf.search(ANN[:1])

    left = {path.stem for path in as_left_by_an_enrolment.glob("*.safetensors")}
    assert left.isdisjoint(each.sha256 for each in old)


def test_the_collection_searched_longest_ago_makes_room(tmp_path: Path) -> None:
    store = LocalStore(tmp_path / "store")
    shelves = [
        Shelf(store, tmp_path / "scratch", name=name, memory_mb=OTHER_MB + 1).create()
        for name in ("one", "two", "three")
    ]
    for number, shelf in enumerate(shelves):
        shelf.publish(lambda head, number=number: head.but(id=f"{number:032x}"))
        shelf.enroll(people(1800, 1, 128, seed=number))  # 460 kB
    one, two, three = shelves
    query = people(1, 1, 128)
    memory = warm_of(one.places.scratch, one.memory_mb)

    def on_disk() -> set[str]:
        return {path.parent.name[-1] for path in one.places.scratch.glob("*/*.safetensors")}

    for shelf in (one, two, one, three):
        shelf.search(query)

    assert memory.bytes == 2 * 1800 * 128 * 2
    assert on_disk() == {"0", "2"}
    assert two.search(query).searched == 1800  # it comes back
    assert on_disk() == {"1", "2"}


def test_a_collection_that_grew_too_large_is_refused(tmp_path: Path) -> None:
    shelf = Shelf(LocalStore(tmp_path / "store"), tmp_path / "scratch", memory_mb=OTHER_MB + 1)
    shelf.create().enroll(people(3000, 1, 128))
    assert shelf.search(ANN[:1]).searched == 3000

    shelf.enroll(people(3000, 1, 128, seed=2))

    with pytest.raises(CollectionTooLarge, match="6,000 vectors of staff need 1 MB"):
        shelf.search(ANN[:1])


class Racing(LocalStore):
    """A store in which another writer is faster: it acts before the next segment is read."""

    def __init__(self, root: Path) -> None:
        super().__init__(root)
        self.act: list[object] = []

    def stream(self, location: Location) -> Iterator[bytes]:
        if "segments" in location.key and self.act:
            action = self.act.pop()
            assert callable(action)
            action()
        return super().stream(location)


def test_a_search_with_an_outdated_head_reads_the_new_one(tmp_path: Path) -> None:
    """A compaction deletes the segment between the head's read and the segment's."""
    store = Racing(tmp_path / "store")
    shelf = Shelf(store, tmp_path / "scratch").create().enroll(ANN[:2])
    as_elsewhere(shelf)

    def compact() -> None:
        (old,) = shelf.head.segments
        shelf.publish(lambda head: head.but(segments=()))
        shelf.enroll(ANN[:1], keys=["kept"])
        store.erase(shelf.places.segment("staff", old.sha256))

    store.act.append(compact)

    assert shelf.keys(ANN[1]) == ["kept"]


def test_a_lost_segment_is_a_fault(shelf: Shelf) -> None:
    shelf.enroll(ANN)
    as_elsewhere(shelf)
    (segment,) = shelf.head.segments
    shelf.store.erase(shelf.places.segment("staff", segment.sha256))

    with pytest.raises(SegmentMismatch, match="the head of staff names is not there"):
        shelf.search(ANN[:1])


def test_a_search_after_a_failure_starts_from_what_was_loaded(shelf: Shelf) -> None:
    shelf.enroll(ANN[:2]).enroll(ANN[2:4])
    as_elsewhere(shelf)
    lost = shelf.places.segment("staff", shelf.head.segments[1].sha256)
    content = LocalStore.read(shelf.store, lost)
    shelf.store.erase(lost)
    head, memory = shelf.head, Warm(MB)
    question = Question(ANN[:1], 10)
    with pytest.raises(ObjectGone):
        memory.search(shelf.places, head, Rules(), question, at=0)
    shelf.store.write(lost, content, media_type="")
    fetched(shelf)

    assert memory.search(shelf.places, head, Rules(), question, at=0).searched == 4

    assert fetched(shelf) == ["segment"]


@pytest.fixture
def thousand(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Shelf:
    """Ten vectors of each of 100 people, who are called 0 to 99; an index begins with them."""
    monkeypatch.setattr(warm, "LEAST_ROWS", 1000)
    shelf = Shelf(LocalStore(tmp_path / "store"), tmp_path / "scratch", dimension=32).create()
    return shelf.enroll(PEOPLE, people=[str(row // 10) for row in range(1000)])


def built(shelf: Shelf) -> list[type]:
    """Return the kinds of the blocks in memory, by segment."""
    held = warm_of(shelf.places.scratch, shelf.memory_mb)._collections[shelf.head.id].held
    return [type(held[each.sha256].block) for each in shelf.head.segments]


def index(shelf: Shelf, kind: IndexKind, *, effort: int) -> None:
    made = Index(kind=kind, parameters={EFFORT: effort})
    shelf.publish(lambda head: head.but(index=made))


@pytest.mark.parametrize("kind", ["ivf", "hnsw"])
def test_an_index_that_was_measured_is_built_and_finds_no_dead_row(
    thousand: Shelf, kind: IndexKind
) -> None:
    exact = thousand.keys(PEOPLE[5])
    index(thousand, kind, effort=64)

    found = thousand.keys(PEOPLE[5])
    thousand.forget_person("0")
    left = thousand.found(PEOPLE[5], k=100)

    assert len(set(found) & set(exact)) >= 0.9 * len(exact)
    assert "0" not in {each.person for each in left}


@pytest.mark.parametrize(
    ("kind", "effort", "block"),
    [("ivf", 8, Ivf), ("hnsw", 64, Hnsw), ("ivf", None, Flat), ("flat", None, Flat)],
    ids=["ivf", "hnsw", "not measured", "flat"],
)
def test_an_index_is_what_the_head_says(
    thousand: Shelf, kind: IndexKind, effort: int | None, block: type
) -> None:
    thousand.search(PEOPLE[:1])
    parameters = {} if effort is None else {EFFORT: effort}
    made = Index(kind=kind, parameters=parameters)
    thousand.publish(lambda head: head.but(index=made))

    thousand.search(PEOPLE[:1])

    assert built(thousand) == [block]


@pytest.mark.parametrize("kind", ["ivf", "hnsw"])
@pytest.mark.parametrize(
    "options", [{"threshold": -1}, {"person": "17"}], ids=["low threshold", "person"]
)
def test_a_search_that_was_not_measured_is_exact(
    thousand: Shelf, kind: IndexKind, options: dict[str, object]
) -> None:
    queries = PEOPLE[170:180]
    exact = thousand.search(queries, **options).queries
    index(thousand, kind, effort=1)

    assert thousand.search(queries, **options).queries == exact


@pytest.mark.parametrize("kind", ["ivf", "hnsw"])
def test_a_search_for_one_person_is_exact(thousand: Shelf, kind: IndexKind) -> None:
    """An index looks where the query is, and may find nobody of a few rows elsewhere."""
    options = {"person": "17", "threshold": -1}
    exact = thousand.search(PEOPLE[:20], **options).queries
    thousand.publish(lambda head: head.but(same_above=-1.0))
    index(thousand, kind, effort=1)

    assert thousand.search(PEOPLE[:20], **options).queries == exact


def test_a_small_segment_beside_an_index_is_compared_exactly(thousand: Shelf) -> None:
    index(thousand, "hnsw", effort=64)
    thousand.enroll(PEOPLE[:1], keys=["new"])

    assert "new" in thousand.keys(PEOPLE[0])
    assert built(thousand) == [Hnsw, Flat]

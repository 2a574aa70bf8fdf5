"""A segment is read as it was written; any other file has a named end, and nothing is executed."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

import numpy as np
import pytest
from safetensors.numpy import save

from containers.vector_index.stored import places as clock
from containers.vector_index.stored.head import Head, Index, ObjectGone, Segment
from containers.vector_index.stored.places import Places
from containers.vector_index.stored.rows import Fact, NewRow, Rows
from containers.vector_index.stored.segments import erase_segment, read_segment, write_segment
from pipeline.artifacts import LocalStore
from pipeline.errors import SegmentMismatch
from tests.containers.vector_index.desk import CONSENT, DIMENSION, MODEL, WEIGHTS, vector

N: Final = 3
Tensors = dict[str, Any]


@pytest.fixture
def places(tmp_path: Path) -> Places:
    return Places(LocalStore(tmp_path / "store"), "collections", "vectors", tmp_path / "scratch")


def head(collection: str = "ab" * 16, **changed: Any) -> Head:
    made = Head(
        name="staff",
        id=collection,
        consent=CONSENT,
        model=MODEL,
        weights_sha256=WEIGHTS,
        dimension=DIMENSION,
        same_above=0.5,
        backend="segments",
        index=Index(kind="flat"),
        erase_within_days=7,
        created_at=clock.now(),
        changed_at=clock.now(),
    )
    return made.but(**changed)


def fact(number: int, person: str | None = "anna") -> Fact:
    return Fact(
        person=person,
        bucket="ingest",
        key=f"{number}.jpg",
        version_id="v1",
        sha256="4f" * 32,
        subject=0,
        box=None,
        score=0.99,
    )


def rows(count: int = N, collection: str = "ab" * 16) -> Rows:
    facts = [
        NewRow(fact=fact(number), enrolled_at=1000 + number, asked_at=900)
        for number in range(count)
    ]
    return Rows.made(collection, WEIGHTS, np.stack([vector(each) for each in range(count)]), facts)


def test_a_segment_is_read_as_it_was_written(places: Places) -> None:
    written = rows()
    segment = write_segment(places, head(), written)
    for copy in places.scratch.rglob("*.safetensors"):
        copy.unlink()

    read = read_segment(places, head(), segment)

    assert (segment.rows, segment.oldest, segment.newest) == (N, 1000, 1002)
    assert all(np.array_equal(*each) for each in zip(arrays(read), arrays(written), strict=True))
    assert [read.fact(row) for row in range(N)] == [fact(row) for row in range(N)]


def arrays(of: Rows) -> list[Any]:
    return [array for _, array in of.arrays()]


def test_columns_are_mapped_from_disk(places: Places) -> None:
    read = read_segment(places, head(), write_segment(places, head(), rows()))

    assert all(isinstance(array, np.memmap) for array in arrays(read))


def test_the_same_rows_make_two_segments(places: Places) -> None:
    first, second = (write_segment(places, head(), rows()) for _ in range(2))
    erase_segment(places, head(), first)

    assert first.sha256 != second.sha256
    assert len(read_segment(places, head(), second)) == N


def test_chosen_rows_keep_what_they_stand_for() -> None:
    taken = rows(5).take(np.array([False, True, False, False, True]))
    joined = Rows.joined([taken, rows(1)])

    assert [joined.fact(row).key for row in range(3)] == ["1.jpg", "4.jpg", "0.jpg"]
    assert len(rows(2).take(np.array([False, False]))) == 0


def test_a_segment_that_is_not_there_is_gone(places: Places) -> None:
    segment = write_segment(places, head(), rows())
    erase_segment(places, head(), segment)

    with pytest.raises(ObjectGone, match=segment.sha256):
        read_segment(places, head(), segment)


def planted(places: Places, content: bytes, *, said: Mapping[str, Any] | None = None) -> Segment:
    """Store a file as a segment, with its own digest in the head: as if its writer was hostile."""
    digest = hashlib.sha256(content).hexdigest()
    places.store.write(places.segment("staff", digest), content, media_type="")
    fields = {"rows": N, "oldest": 1000, "newest": 1002, "bytes": len(content)} | dict(said or {})
    return Segment(sha256=digest, **fields)


def tensors(**changed: Any) -> Tensors:
    return dict(rows().arrays()) | changed


def crafted(change: Callable[[Tensors], Any]) -> bytes:
    made = tensors()
    changed = change(made)
    content: bytes = save(made if changed is None else changed)
    return content


def with_header(change: Callable[[dict[str, Any]], Any]) -> bytes:
    content = save(tensors())
    length = int.from_bytes(content[:8], "little")
    header = json.loads(content[8 : 8 + length])
    change(header)
    said = json.dumps(header).encode()
    return len(said).to_bytes(8, "little") + said + content[8 + length :]


def put(name: str, value: Any) -> Callable[[Tensors], None]:
    return lambda made: made.__setitem__(name, value)


def moved_vector(made: Tensors) -> None:
    made["vectors"] = made["vectors"].copy()
    made["vectors"][1] *= 1.02


def one_value(value: float) -> Callable[[Tensors], None]:
    def change(made: Tensors) -> None:
        made["vectors"] = made["vectors"].copy()
        made["vectors"][1, 0] = value

    return change


def zero_vector(made: Tensors) -> None:
    made["vectors"] = made["vectors"].copy()
    made["vectors"][1] = 0


def ends(*values: int) -> Callable[[Tensors], None]:
    def change(made: Tensors) -> None:
        size = int(made["facts"].size)
        made["ends"] = np.array([size if each == -1 else each for each in values], np.int64)

    return change


def without_photos(made: Tensors) -> None:
    del made["photo"]


def repeated_id(made: Tensors) -> None:
    made["ids"] = made["ids"].copy()
    made["ids"][2] = made["ids"][0]


HOSTILE: Final[dict[str, Callable[[], bytes]]] = {
    "nothing": lambda: b"",
    "no header": lambda: b"\x08",
    "a header of 8 exabytes": lambda: b"\xff" * 16,
    "a header longer than the file": lambda: (4000).to_bytes(8, "little") + b"{}",
    "a header bomb": lambda: (10**8).to_bytes(8, "little") + b"[" * 10**6,
    "nested JSON": lambda: (4000).to_bytes(8, "little") + b"[" * 4000,
    "a pickle": lambda: b"\x80\x04cposix\nsystem\n(S'touch /tmp/x'\ntR.",
    "a faiss index": lambda: b"IxF2" + bytes(100),
    "a tensor outside the file": lambda: with_header(
        lambda header: header["vectors"].update(data_offsets=[0, 10**9])
    ),
    "overlapping tensors": lambda: with_header(
        lambda header: header["ids"].update(data_offsets=header["person"]["data_offsets"])
    ),
    "a shape that overflows": lambda: with_header(
        lambda header: header["vectors"].update(shape=[2**62, 8])
    ),
    "a negative shape": lambda: with_header(
        lambda header: header["vectors"].update(shape=[-3, -8])
    ),
    "another type of the same size": lambda: with_header(
        lambda header: header["vectors"].update(dtype="BF16")
    ),
    "bytes behind the end": lambda: save(tensors()) + b"\0",
    "a tensor too many": lambda: crafted(put("more", np.zeros(1, np.uint8))),
    "a tensor too few": lambda: crafted(without_photos),
    "another dimension": lambda: crafted(put("vectors", np.ones((N, 16), np.float16))),
    "single precision": lambda: crafted(put("vectors", np.ones((N, DIMENSION), np.float32))),
    "more vectors than rows": lambda: crafted(
        put("vectors", np.ones((N + 1, DIMENSION), np.float16))
    ),
    "longer digests": lambda: crafted(put("person", np.zeros((N, 17), np.uint8))),
    "fewer rows than the head says": lambda: save(dict(rows(N - 1).arrays())),
    "no fact": lambda: crafted(put("facts", np.zeros(0, np.uint8))),
    "NaN": lambda: crafted(one_value(float("nan"))),
    "infinity": lambda: crafted(one_value(float("inf"))),
    "a zero vector": lambda: crafted(zero_vector),
    "a vector of another length": lambda: crafted(moved_vector),
    "an end outside the facts": lambda: crafted(ends(10, 20, 10**9)),
    "a negative end": lambda: crafted(ends(-5, 20, -1)),
    "ends out of order": lambda: crafted(ends(20, 10, -1)),
    "an empty fact": lambda: crafted(ends(10, 10, -1)),
    "ends whose differences overflow": lambda: crafted(ends(2**62, -(2**62), -1)),
    "facts that belong to nobody": lambda: crafted(ends(10, 20, 30)),
    "the same id twice": lambda: crafted(repeated_id),
    "times that the head does not say": lambda: crafted(
        put("enrolled_at", np.array([1, 2, 3], np.int64))
    ),
    "asked for before 1970": lambda: crafted(put("asked_at", np.full(N, -1, np.int64))),
}


@pytest.mark.parametrize("make", HOSTILE.values(), ids=HOSTILE)
def test_a_hostile_segment_is_a_mismatch(places: Places, make: Callable[[], bytes]) -> None:
    segment = planted(places, make())

    with pytest.raises(SegmentMismatch, match=segment.sha256):
        read_segment(places, head(), segment)
    assert list(places.scratch.rglob("*.safetensors")) == []


def test_the_planted_segment_without_a_change_is_read(places: Places) -> None:
    assert len(read_segment(places, head(), planted(places, save(tensors())))) == N


@pytest.mark.parametrize(
    "said", [{"bytes": 10}, {"bytes": 10**6}, {"rows": N + 1}, {"oldest": 999}, {"newest": 1003}]
)
def test_a_segment_is_what_its_head_says(places: Places, said: dict[str, int]) -> None:
    segment = planted(places, save(tensors()), said=said)

    with pytest.raises(SegmentMismatch):
        read_segment(places, head(), segment)


def test_a_segment_with_another_digest_is_a_mismatch(places: Places) -> None:
    segment = write_segment(places, head(), rows())
    for copy in places.scratch.rglob("*.safetensors"):
        copy.unlink()
    place = places.segment("staff", segment.sha256)
    content = bytearray(places.store.read(place))
    content[-1] ^= 1
    places.store.write(place, bytes(content), media_type="")

    with pytest.raises(SegmentMismatch, match="not what the head of staff says"):
        read_segment(places, head(), segment)


def test_a_segment_larger_than_the_head_says_is_not_downloaded(places: Places) -> None:
    segment = planted(places, bytes(2**24), said={"bytes": 1000})

    with pytest.raises(SegmentMismatch):
        read_segment(places, head(), segment)
    assert sum(path.stat().st_size for path in places.scratch.rglob("*") if path.is_file()) == 0


def facts_of(*facts: bytes) -> dict[str, Any]:
    return {
        "facts": np.frombuffer(b"".join(facts), np.uint8),
        "ends": np.cumsum([len(each) for each in facts], dtype=np.int64),
    }


def said(*facts: Fact) -> dict[str, Any]:
    return facts_of(*(each.model_dump_json().encode() for each in facts))


FACTS: Final[dict[str, dict[str, Any]]] = {
    "another row's": said(fact(1), fact(0), fact(2)),
    "another person": said(fact(0, "ben"), fact(1), fact(2)),
    "no JSON": facts_of(b"{", b"[]", b"\xff"),
    "another field": facts_of(
        *(json.dumps({**fact(row).model_dump(), "name": "x"}).encode() for row in range(N))
    ),
}


@pytest.mark.parametrize("facts", FACTS.values(), ids=FACTS)
def test_a_fact_that_is_not_its_rows_is_a_mismatch(places: Places, facts: dict[str, Any]) -> None:
    read = read_segment(places, head(), planted(places, save(tensors(**facts))))

    with pytest.raises(SegmentMismatch, match="row 0 of a segment"):
        read.fact(0)


def test_rows_of_another_collection_are_a_mismatch(places: Places) -> None:
    content = save(dict(rows(collection="cd" * 16).arrays()))
    read = read_segment(places, head(), planted(places, content))

    with pytest.raises(SegmentMismatch, match="the fact of another"):
        read.fact(0)


def test_metadata_has_one_entry(places: Places) -> None:
    segment = write_segment(places, head(), rows())
    content = places.store.read(places.segment("staff", segment.sha256))
    length = int.from_bytes(content[:8], "little")

    assert list(json.loads(content[8 : 8 + length])["__metadata__"]) == ["nonce"]


def test_a_row_takes_little_more_than_its_vector() -> None:
    dimension, count = 512, 500
    facts = [NewRow(fact=fact(each), enrolled_at=1, asked_at=1) for each in range(count)]
    vectors = np.stack([vector(each, dimension) for each in range(count)])
    made = Rows.made("ab" * 16, WEIGHTS, vectors, facts)
    outside = sum(array.nbytes for name, array in made.arrays() if name not in ("vectors", "facts"))

    assert made.vectors.nbytes == 1024 * count
    assert outside <= 96 * count

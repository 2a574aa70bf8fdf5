"""Rows of a collection: vectors, and what each of them stands for."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields
from typing import Any, Final, Literal

import numpy as np
import numpy.typing as npt
from pydantic import ValidationError

from containers.vector_index.stored import digests
from containers.vector_index.stored.head import Milliseconds, Part
from pipeline.contracts.collection import Person
from pipeline.contracts.faces import Box
from pipeline.errors import SegmentMismatch

Vectors = npt.NDArray[np.float32]
Codes = npt.NDArray[np.float16]
Digests = npt.NDArray[np.uint8]  # n × 16
Times = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]

Kind = Literal["person", "photo", "object"]

_COLUMNS: Final = ("vectors", "ids", "person", "photo", "object", "enrolled_at", "asked_at")


class FactBox(Part):
    x: float
    y: float
    width: float
    height: float


class Fact(Part):
    """What a row stands for: a subject of a version of an object in S3, and whose it is."""

    person: Person | None
    bucket: str
    key: str
    version_id: str | None
    sha256: str
    subject: int
    box: FactBox | None
    score: float | None

    @property
    def place(self) -> Box | None:
        return None if self.box is None else Box(**self.box.model_dump())


class NewRow(Part):
    """A fact that is to be enrolled, and when."""

    fact: Fact
    enrolled_at: Milliseconds
    asked_at: Milliseconds


@dataclass(frozen=True)
class Rows:
    """`n` rows of the collection with the id `collection`, in memory or mapped from a file.

    `vectors` are n × dimension, of length 1 before they were rounded to half precision. `ids`,
    `person`, `photo` and `object` are digests. Times are ms since 1970. `facts` has a JSON object
    for each row, one after another, each up to its place in `ends`.
    """

    collection: str
    vectors: Codes
    ids: Digests
    person: Digests
    photo: Digests
    object: Digests
    enrolled_at: Times
    asked_at: Times
    facts: npt.NDArray[np.uint8]
    ends: Times

    def __len__(self) -> int:
        return len(self.ids)

    def said(self, row: int) -> bytes:
        """Return the JSON of a row's fact."""
        start = int(self.ends[row - 1]) if row else 0
        return self.facts[start : int(self.ends[row])].tobytes()

    def fact(self, row: int) -> Fact:
        """Return a row's fact. Raises SegmentMismatch if it is not that of the row's digests."""
        try:
            fact = Fact.model_validate_json(self.said(row))
        except ValidationError:
            raise SegmentMismatch(f"row {row} of a segment has no fact") from None
        stated = (self.person[row], self.photo[row], self.object[row])
        if tuple(each.tobytes() for each in stated) != _digests_of(fact, self.collection):
            raise SegmentMismatch(f"row {row} of a segment has the fact of another")
        return fact

    def of(self, kind: Kind, digest: bytes) -> Mask:
        """Return which rows have this digest of a person, photo or object."""
        same: Mask = (getattr(self, kind) == np.frombuffer(digest, np.uint8)).all(axis=1)
        return same

    def take(self, chosen: Mask) -> Rows:
        """Return the chosen rows, in memory."""
        where = np.flatnonzero(chosen)
        said = [self.said(int(row)) for row in where]
        columns = {name: np.ascontiguousarray(getattr(self, name)[where]) for name in _COLUMNS}
        return Rows(self.collection, **columns, **joined_facts(said))

    @classmethod
    def joined(cls, parts: Sequence[Rows]) -> Rows:
        """Return the rows of at least one part, in order."""
        columns = {
            name: np.concatenate([getattr(each, name) for each in parts]) for name in _COLUMNS
        }
        starts = np.cumsum([0, *(each.facts.size for each in parts[:-1])])
        ends = [each.ends + start for each, start in zip(parts, starts, strict=True)]
        facts = np.concatenate([each.facts for each in parts])
        return cls(parts[0].collection, **columns, facts=facts, ends=np.concatenate(ends))

    @classmethod
    def made(
        cls, collection: str, weights_sha256: str, vectors: Vectors, rows: Sequence[NewRow]
    ) -> Rows:
        """Return new rows. `vectors` are n × dimension, of length 1: see `unit`."""
        facts = [each.fact for each in rows]
        people = [_digests_of(fact, collection) for fact in facts]
        ids = [
            digests.row_id(weights_sha256, fact.sha256, fact.key, fact.subject) for fact in facts
        ]
        said = [fact.model_dump_json().encode() for fact in facts]
        return cls(
            collection,
            vectors=vectors.astype(np.float16),
            ids=_column(ids),
            person=_column([person for person, _, _ in people]),
            photo=_column([photo for _, photo, _ in people]),
            object=_column([thing for _, _, thing in people]),
            enrolled_at=np.array([each.enrolled_at for each in rows], np.int64),
            asked_at=np.array([each.asked_at for each in rows], np.int64),
            **joined_facts(said),
        )

    def arrays(self) -> Iterator[tuple[str, npt.NDArray[Any]]]:
        """Yield each array with its name."""
        for field in fields(self):
            if field.name != "collection":
                yield field.name, getattr(self, field.name)


def as_keys(column: Digests) -> npt.NDArray[np.bytes_]:
    """Return digests (n × 16) as n texts of 16 bytes, which can be compared and sorted."""
    return np.ascontiguousarray(column).view("S16").reshape(-1)


def _digests_of(fact: Fact, collection: str) -> tuple[bytes, bytes, bytes]:
    return (
        digests.person_digest(collection, fact.person),
        digests.photo_digest(fact.bucket, fact.key, fact.version_id),
        digests.object_digest(fact.bucket, fact.key),
    )


def _column(values: Sequence[bytes]) -> Digests:
    return np.frombuffer(b"".join(values), np.uint8).reshape(-1, digests.BYTES)


def joined_facts(said: Sequence[bytes]) -> dict[str, npt.NDArray[Any]]:
    """Return the columns `facts` and `ends` of JSON objects."""
    return {
        "facts": np.frombuffer(b"".join(said), np.uint8),
        "ends": np.cumsum([len(each) for each in said], dtype=np.int64),
    }

"""ForgetSubject and ForgetSource: nothing finds a person, or a photo, from the next search on."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from containers.vector_index.backends.choosing import backend_of
from containers.vector_index.burying import bury
from containers.vector_index.enrolling.records import Photo, is_current
from containers.vector_index.photos import keep_photos, next_photos
from containers.vector_index.stored.digests import object_digest, person_digest, photo_digest
from containers.vector_index.stored.head import Head, read_head, with_head
from containers.vector_index.stored.places import Places, milliseconds, moment_of, now
from containers.vector_index.stored.receipts import (
    ForgottenReceipt,
    earlier_receipt,
    stated,
    write_receipt,
)
from containers.vector_index.stored.tombstones import DAY, Rule, Rules, expired, read_rules
from pipeline.artifacts import Artifact, Location
from pipeline.contracts.collection import ForgetSource, ForgetSubject, Forgotten, SourceForgotten
from pipeline.errors import CollectionBusy, CollectionMissing, PipelineError, SegmentMismatch
from pipeline.workbench import TaskContext


class Touched(NamedTuple):
    """How many vectors rules kill that others leave alive, and the keys of their photos."""

    vectors: int
    photos: tuple[str, ...]


def forget_subject(job: ForgetSubject, context: TaskContext) -> Forgotten:
    """Publish a rule against a person or a photo; what was asked for later may be enrolled.

    A job that was killed and is repeated ends as the first would have. Raises CollectionMissing,
    CollectionBusy or SegmentMismatch.
    """
    places, at = Places.of(job, context), now()
    rule = _rule_of(job, read_head(places, job.collection).head)
    touched = with_head(
        places, job.collection, lambda head: _touched(places, head, [rule], job.ingest_bucket, at)
    )
    kept = keep_photos(places, job, touched.photos) if job.person is not None else ()
    head = bury(places, job.collection, [rule], killed=touched.vectors)
    said, receipt = _receipt(places, job, head, rule, at=at, vectors=touched.vectors)
    photos, after = next_photos(job, kept)
    return Forgotten(
        collection=head.name,
        forgotten=said.vectors,
        photos=photos,
        erased_by=said.erased_by,
        receipt=receipt,
        after=after,
        metrics={"forgotten": float(said.vectors) if job.after is None else 0.0},
    )


def _receipt(  # noqa: PLR0913 - what a receipt says
    places: Places, job: ForgetSubject, head: Head, rule: Rule, *, at: int, vectors: int
) -> tuple[ForgottenReceipt, Artifact]:
    """Write a receipt, but for a job that has one: the vectors it tells of may be erased by now."""
    erased_by = moment_of(milliseconds(job.asked_at) + head.erase_within_days * DAY)
    about = {"about": rule.kind, "digest": rule.digest, "erased_by": erased_by}
    said = stated(job, head.name, at=at, vectors=vectors) | about
    receipt = ForgottenReceipt.model_validate(said)
    earlier = earlier_receipt(places, job, head.name, ForgottenReceipt)
    if earlier is not None and earlier[0].digest == rule.digest:
        return earlier
    return receipt, write_receipt(places, receipt)


def forget_source(job: ForgetSource, context: TaskContext) -> SourceForgotten:
    """Forget what collections have of an object, but for the version that its key holds now.

    Raises CollectionBusy or SegmentMismatch, after all other collections have forgotten it.
    """
    places, at = Places.of(job, context), now()
    thing = object_digest(job.bucket, job.key)
    prefix = places.pointers(thing)
    names = [each.location.key.removeprefix(prefix.key) for each in places.store.listing(prefix)]
    forgotten, failed = dict[str, int](), list[PipelineError]()
    for name in names:
        try:
            count = _forget_in(places, name, job, at)
        except CollectionMissing:
            continue  # a pointer too many is harmless
        except (CollectionBusy, SegmentMismatch) as error:
            failed.append(error)
            continue
        if count:
            forgotten[name] = count
    if failed:  # one that may succeed when it is asked again, if there is one
        raise next((each for each in failed if isinstance(each, CollectionBusy)), failed[0])
    count = sum(forgotten.values())
    return SourceForgotten(
        collections=tuple(forgotten), forgotten=count, metrics={"forgotten": float(count)}
    )


def _rule_of(job: ForgetSubject, head: Head) -> Rule:
    at = milliseconds(job.asked_at)
    if job.photo is not None:
        return Rule(kind="object", digest=object_digest(job.ingest_bucket, job.photo).hex(), at=at)
    return Rule(kind="person", digest=person_digest(head.id, job.person).hex(), at=at)


def _forget_in(places: Places, name: str, job: ForgetSource, at: int) -> int:
    """Forget an object in one collection; return how many vectors that killed."""
    rules = with_head(places, name, lambda head: _rules_about(places, head, job))
    if not rules:
        return 0
    touched = with_head(places, name, lambda head: _touched(places, head, rules, job.bucket, at))
    bury(places, name, rules, killed=touched.vectors)
    return touched.vectors


def _rules_about(places: Places, head: Head, job: ForgetSource) -> list[Rule]:
    """Return a rule against an object that is gone, or against its versions that are not current.

    The rule against an object also holds for enrolments that are not published yet.
    """
    asked_at = milliseconds(job.asked_at)
    thing = object_digest(job.bucket, job.key)
    try:
        places.store.stat(Location(job.bucket, job.key))
    except KeyError:
        return [Rule(kind="object", digest=thing.hex(), at=asked_at)]
    photos = set[Photo]()
    for rows in backend_of(head, places).rows(head, of=("object", thing), vectors=False):
        facts = map(rows.fact, range(len(rows)))
        photos |= {Photo(fact.bucket, fact.key, fact.version_id, fact.sha256) for fact in facts}
    old = [photo for photo in photos if not is_current(places.store, photo)]
    digests = {photo_digest(photo.bucket, photo.key, photo.version_id).hex() for photo in old}
    return [Rule(kind="photo", digest=each, at=asked_at) for each in sorted(digests)]


def _touched(
    places: Places, head: Head, rules: Sequence[Rule], ingest_bucket: str, at: int
) -> Touched:
    """Count what rules kill as if they were not published yet: the job may be a repeated one."""
    own = Rules.of(rules)
    others = read_rules(places, head).among(lambda rule: rule not in rules)
    count, keys = 0, set[str]()
    for rows in backend_of(head, places).rows(head, vectors=False):
        killed = own.dead(rows)
        count += int((killed & ~(others.dead(rows) | expired(rows, head, at))).sum())
        facts = (rows.fact(int(row)) for row in np.flatnonzero(killed))
        keys |= {fact.key for fact in facts if fact.bucket == ingest_bucket}
    return Touched(count, tuple(sorted(keys)))

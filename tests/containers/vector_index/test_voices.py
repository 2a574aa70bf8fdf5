"""Speakers of one recording are found in another by the centroids that the diarizer writes.

The diarizer is the real one, with networks that tell tones apart: a tone is a voice.
"""

from __future__ import annotations

import hashlib
from typing import Final

import numpy as np
import pytest
from safetensors.numpy import save

from pipeline.artifacts import Location
from pipeline.contracts.collection_enrolments import (
    EnrollVectors,
    Entry,
    VectorsEnrolled,
    VectorsFile,
)
from pipeline.contracts.collection_searches import Searched, SearchVectors
from pipeline.contracts.speakers import PartSpeakers
from tests.containers.diarizer.test_diarizing import MODEL, bench_with
from tests.containers.vector_index.desk import INGEST, OUTPUT, Desk
from tests.speaker_models import Tone, tones

ANNA, BEN, STRANGER = 1, 0, 3  # the tones of their voices
MONDAY: Final = (Tone(ANNA, 1, 5), Tone(BEN, 6, 10))
FRIDAY: Final = (Tone(STRANGER, 1, 5), Tone(BEN, 6, 11), Tone(ANNA, 12, 16))


@pytest.fixture(scope="module")
def heard(tmp_path_factory: pytest.TempPathFactory) -> tuple[PartSpeakers, PartSpeakers]:
    """Who speaks in two recordings. Their numbers are by who is first: they differ."""
    bench = bench_with(tmp_path_factory.mktemp("diarizer"), "powerset", "resemblyzer")
    monday = bench.run(bench.plan((0.0, tones(*MONDAY, seconds=12))))
    bench.lose(f"jobs/1/speakers/{MODEL}/0000.json")  # each recording has a job of its own
    friday = bench.run(bench.plan((0.0, tones(*FRIDAY, seconds=18))))
    return monday, friday


def file_of(desk: Desk, name: str, part: PartSpeakers) -> VectorsFile:
    """Write a part's centroids as a file of vectors; the model says which voices are the same."""
    content = save({"embeddings": np.array([one.centroid for one in part.speakers], np.float32)})
    return VectorsFile(
        vectors=desk.store.write(Location("work", f"vectors/{name}"), content, media_type=""),
        model=part.model,
        weights_sha256=part.weights_sha256,
        same_above=1 - part.link_below,
    )


def enroll(desk: Desk, key: str, part: PartSpeakers, people: list[str]) -> VectorsEnrolled:
    desk.photo(key, b"the sound of " + key.encode())
    sha256 = hashlib.sha256(desk.store.read(Location(INGEST, key))).hexdigest()
    entries = [
        Entry(row=row, bucket=INGEST, key=key, sha256=sha256, subject=row, person=person)
        for row, person in enumerate(people)
    ]
    file = file_of(desk, "enrolled", part)
    job = desk.job(EnrollVectors, collection="voices", file=file, entries=entries)
    return desk.run(job, VectorsEnrolled)


def found(desk: Desk, part: PartSpeakers) -> list[list[tuple[str | None, str, int]]]:
    """Return person, key and speaker of the matches of each speaker of a part."""
    query = file_of(desk, "asked", part)
    job = desk.job(
        SearchVectors, scope="collection", collection="voices", output_bucket=OUTPUT, query=query
    )
    return [
        [(each.person, each.key, each.subject) for each in one.matches]
        for one in desk.run(job, Searched).queries
    ]


def test_a_voice_is_found_in_another_recording(
    desk: Desk, heard: tuple[PartSpeakers, PartSpeakers]
) -> None:
    monday, friday = heard
    desk.create("voices", model=MODEL)

    assert enroll(desk, "monday.mp3", monday, ["anna", "ben"]).enrolled == 2

    assert found(desk, friday) == [
        [],
        [("ben", "monday.mp3", 1)],
        [("anna", "monday.mp3", 0)],
    ]


def test_a_forgotten_voice_is_not_found(
    desk: Desk, heard: tuple[PartSpeakers, PartSpeakers]
) -> None:
    monday, friday = heard
    desk.create("voices", model=MODEL)
    enroll(desk, "monday.mp3", monday, ["anna", "ben"])

    desk.forget("voices", person="ben")
    assert found(desk, friday) == [[], [], [("anna", "monday.mp3", 0)]]

    desk.forget_source("monday.mp3")  # the object is still there: its current version stays
    desk.store.erase(Location(INGEST, "monday.mp3"))
    desk.forget_source("monday.mp3")
    desk.compact("voices", force=True)

    assert found(desk, friday) == [[], [], []]
    assert desk.describe("voices")[0].bytes == 0

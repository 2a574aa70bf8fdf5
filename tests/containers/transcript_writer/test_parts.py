"""Every part of the plan is read, in order, or the task fails with the part's name."""

from __future__ import annotations

from pathlib import Path

import pytest

from containers.transcript_writer.parts import PartMissing, read_parts
from pipeline.artifacts import ArtifactStore, LocalStore, Location
from pipeline.contracts.speakers import PartSpeakers, part_key
from pipeline.contracts.transcript import WriteTranscript
from pipeline.errors import leaf_names
from tests.containers.transcript_writer import part, spoken, window
from tests.containers.transcript_writer.test_windows import job_of, put

MODEL = "pyannote-campplus"
WINDOWS = tuple(
    window(spoken("so"), index=index, start=start, end=start + 300)
    for index, start in enumerate((0.0, 1_500.0, 5_400.0, 5_700.0))
)
PARTS = (part(index=0), part(index=3))


@pytest.fixture
def store(tmp_path: Path) -> ArtifactStore:
    return LocalStore(tmp_path)


def diarized(store: ArtifactStore) -> WriteTranscript:
    return job_of(store).model_copy(update={"speaker_model": MODEL})


def put_part(store: ArtifactStore, content: PartSpeakers, *, index: int | None = None) -> None:
    under = content.index if index is None else index
    put(store, part_key("jobs/1", model=MODEL, index=under), content)


def test_the_parts_that_have_windows_are_read_in_order(store: ArtifactStore) -> None:
    for each in reversed(PARTS):
        put_part(store, each)

    assert read_parts(store, diarized(store), WINDOWS) == PARTS


def test_without_a_model_no_part_is_read(store: ArtifactStore) -> None:
    assert read_parts(store, job_of(store), WINDOWS) == ()


def test_a_part_that_is_missing_stops_the_task_by_name(store: ArtifactStore) -> None:
    put_part(store, PARTS[0])

    with pytest.raises(PartMissing, match=r"part 3, but s3://\w+/jobs/1/speakers/.*/0003\.json"):
        read_parts(store, diarized(store), WINDOWS)


@pytest.mark.parametrize(
    ("other", "found"),
    [(part(index=1), "part 1 by pyannote-campplus"), (part(model="yamnet"), "part 0 by yamnet")],
)
def test_another_part_under_the_key_stops_the_task(
    store: ArtifactStore, other: PartSpeakers, found: str
) -> None:
    put_part(store, other, index=0)

    with pytest.raises(PartMissing, match=f"has {found}, not part 0 by {MODEL}"):
        read_parts(store, diarized(store), WINDOWS)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ('"speaker":1', '"speaker":2'),
        ('"speaker":1', '"speaker":-1'),
        ("[0.0,1.0]", "[0.0,1.0,0.0]"),
        ("}", ""),
        ('"turns"', '"torn"'),
    ],
)
def test_a_damaged_part_stops_the_task_by_name(
    store: ArtifactStore, before: str, after: str
) -> None:
    put_part(store, PARTS[1])
    two = part((0, 1, 0), (1, 2, 1), voices=((1.0, 0.0), (0.0, 1.0)))
    content = two.model_dump_json()
    assert before in content
    place = Location("work", part_key("jobs/1", model=MODEL, index=0))
    store.write(place, content.replace(before, after).encode(), media_type="")

    with pytest.raises(PartMissing, match=r"0000\.json is damaged"):
        read_parts(store, diarized(store), WINDOWS)


def test_no_state_machine_can_catch_a_missing_part() -> None:
    assert PartMissing.__name__ not in leaf_names()

"""Every window of the plan is read, in order, or the task fails with the window's name."""

from __future__ import annotations

import traceback
from pathlib import Path

import pytest

from containers.transcript_writer.windows import read_windows
from pipeline.artifacts import Artifact, ArtifactStore, LocalStore, Location
from pipeline.contracts.audio_windows import AudioPlan
from pipeline.contracts.contract import Contract
from pipeline.contracts.transcript import (
    Recording,
    SourceRecording,
    WindowMissing,
    WriteTranscript,
    window_key,
)
from pipeline.errors import leaf_names
from tests.containers.transcript_writer import spoken, window

WINDOWS = tuple(
    window(spoken(f"window {index}"), index=index, start=30.0 * index, end=30.0 * index + 30)
    for index in range(3)
)


@pytest.fixture
def store(tmp_path: Path) -> ArtifactStore:
    return LocalStore(tmp_path)


def put(store: ArtifactStore, key: str, content: Contract) -> Artifact:
    return store.write(Location("work", key), content.model_dump_json().encode(), media_type="")


def job_of(store: ArtifactStore, *, align_model: str | None = None) -> WriteTranscript:
    plan = AudioPlan(duration_s=90.0, windows=tuple(each.window for each in WINDOWS))
    source = SourceRecording(
        bucket="ingest", key="talk.mp3", version_id=None, etag="", sha256="0" * 64, bytes=1,
        media_type="audio/mpeg", format="mp3",
    )  # fmt: skip
    return WriteTranscript(
        schema_version=1, job_id="1", execution="e", source=source,
        recording=Recording(codec="mp3", rate=44_100, channels=2, duration_s=90.0),
        plan=put(store, "jobs/1/plan.json", plan), speech_model="whisper-base",
        align_model=align_model, speaker_model=None, speakers=None, least_speakers=None,
        most_speakers=None, name_speakers=False, denoised=None, tags=None,
        work_bucket="work", work_prefix="jobs/1", output_stem="talk",
    )  # fmt: skip


def key_of(index: int, align_model: str | None = None) -> str:
    return window_key("jobs/1", speech_model="whisper-base", align_model=align_model, index=index)


@pytest.mark.parametrize("align_model", [None, "wav2vec2-base-960h"])
def test_windows_are_read_in_the_order_of_the_plan(
    store: ArtifactStore, align_model: str | None
) -> None:
    for _, said in reversed(WINDOWS):
        put(store, key_of(said.index, align_model), said)

    assert read_windows(store, job_of(store, align_model=align_model)) == WINDOWS


def test_a_window_that_is_missing_stops_the_task_by_name(store: ArtifactStore) -> None:
    for _, said in WINDOWS[::2]:
        put(store, key_of(said.index), said)

    with pytest.raises(WindowMissing, match=r"window 1, but s3://\w+/jobs/1/windows/.*/0001\.json"):
        read_windows(store, job_of(store))


def test_a_window_made_by_another_aligner_does_not_stand_in(store: ArtifactStore) -> None:
    for _, said in WINDOWS:
        put(store, key_of(said.index), said)

    with pytest.raises(WindowMissing, match="window 0"):
        read_windows(store, job_of(store, align_model="wav2vec2-base-960h"))


def test_a_window_under_the_key_of_another_stops_the_task(store: ArtifactStore) -> None:
    for index in range(3):
        put(store, key_of(index), WINDOWS[0].said)

    with pytest.raises(WindowMissing, match="has window 0, not 1"):
        read_windows(store, job_of(store))


def test_a_damaged_window_stops_the_task_and_its_words_are_not_logged(
    store: ArtifactStore,
) -> None:
    for _, said in WINDOWS:
        put(store, key_of(said.index), said)
    whole = WINDOWS[1].said.model_dump_json().encode()
    store.write(Location("work", key_of(1)), whole[: len(whole) // 2], media_type="")

    with pytest.raises(WindowMissing, match=r"0001\.json is damaged$") as stopped:
        read_windows(store, job_of(store))
    assert "window 1" not in "".join(traceback.format_exception(stopped.value))


def test_no_state_machine_can_catch_a_missing_window() -> None:
    """It is a fault of the platform: nothing is quarantined, and a redrive makes it again."""
    assert WindowMissing.__name__ not in leaf_names()

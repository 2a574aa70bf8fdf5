"""A run brings transcripts home, next to cutouts, and tells how far each recording is."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from pipeline.session.batch import MediaFile, Outcome, process
from pipeline.session.collecting import OWN, collect
from pipeline.session.media import PHOTO, RECORDING
from pipeline.session.run_messages import RunModels, RunRequest, TranscriptProgress
from pipeline.session.running_cloud import attached
from pipeline.session.runs import serving_runs
from tests.execution.driver import Driver
from tests.pictures import png, square
from tests.transcripts.stubs.script import Script
from tests.transcripts.stubs.tasks import WINDOW_S

TRANSCRIPT = {f"talk_transcript.{end}" for end in ("json", "srt", "vtt", "txt", "record.json")}


@pytest.fixture
def port(driver: Driver) -> Iterator[int]:
    """Return the port of a cloud that serves runs."""
    with serving_runs(driver.cloud, {}, lambda _: RunModels(()), shared=False):
        yield driver.cloud.server.port


def run(
    port: int, *given: Path, output: Path, options: Mapping[str, str]
) -> tuple[dict[str, Outcome], list[TranscriptProgress], set[str]]:
    """Process files and folders; return the outcomes by name, the progress, and what was ours."""
    told: list[Outcome | TranscriptProgress] = []
    found = collect(given, output=output)
    products = [PHOTO.product, RECORDING.product]
    with attached(port, RunRequest({}, None, products)) as cloud:
        outcomes = process(
            cloud,
            found.files,
            options={RECORDING.product: options, PHOTO.product: {"refine": "none"}},
            output=output,
            on_progress=told.append,
        )
    progress = [each for each in told if isinstance(each, TranscriptProgress)]
    own = {each.path.name for each in found.skipped if each.why == OWN}
    return {outcome.file.path.name: outcome for outcome in outcomes}, progress, own


def test_photos_and_recordings_become_their_products_and_no_result_is_taken_for_media(
    port: int, tmp_path: Path
) -> None:
    (tmp_path / "talk.flac").write_bytes(Script(windows=3, padding="mixed").recording())
    (tmp_path / "talk.png").write_bytes(png(square()))
    options = {"concurrency": "2"}

    first, progress, _ = run(port, tmp_path, output=tmp_path, options=options)
    made = {path.name for path in tmp_path.iterdir()} - {"talk.flac", "talk.png"}
    second, _, own = run(port, tmp_path, output=tmp_path, options=options)

    assert {name: outcome.status for name, outcome in first.items()} == {
        "talk.flac": "DONE",
        "talk.png": "DONE",
    }
    assert first["talk.flac"].shown == tmp_path / "talk_transcript.txt"
    assert first["talk.flac"].seconds > 0
    pictures = {"talk_bg_removed.png", "talk_bg_removed.json"}
    assert made == TRANSCRIPT | pictures
    assert own == made
    assert second.keys() == first.keys()
    seconds = [each.done_s for each in progress]
    assert seconds[0] == 0
    assert sorted(seconds) == sorted(set(seconds))
    assert (seconds[-1], len(seconds)) == (progress[-1].total_s, 4)


def test_every_task_that_listens_counts_in_the_progress(port: int, tmp_path: Path) -> None:
    (tmp_path / "talk.flac").write_bytes(Script(windows=7, padding="counted").recording())
    options = {"diarize": "true", "tags": "true"}

    outcomes, progress, _ = run(port, tmp_path, output=tmp_path, options=options)

    assert outcomes["talk.flac"].status == "DONE", outcomes["talk.flac"].reason
    assert {"talk_speakers.rttm", "talk_tags.json"} <= {path.name for path in tmp_path.iterdir()}
    assert {each.total_s for each in progress} == {3 * 7 * WINDOW_S}
    seconds = [each.done_s for each in progress]
    assert (seconds[0], seconds[-1]) == (0, 3 * 7 * WINDOW_S)
    assert len(seconds) == 1 + 7 + 2 + 1  # seven windows, in two parts, and all sounds at once


@pytest.mark.parametrize("name", ["talk.jpg", "talk", "talk.WAV", "talk.mP3"])
def test_a_recording_becomes_a_transcript_whatever_its_name(
    port: int, tmp_path: Path, name: str
) -> None:
    (tmp_path / name).write_bytes(Script(windows=1, padding=name).recording())

    outcomes, _, _ = run(port, tmp_path, output=tmp_path / "out", options={})

    assert outcomes[name].done, outcomes[name].reason
    assert {path.name for path in (tmp_path / "out").iterdir()} == TRANSCRIPT


def test_a_photo_called_as_a_recording_becomes_a_cutout(port: int, tmp_path: Path) -> None:
    (tmp_path / "cat.mp3").write_bytes(png(square()))

    outcomes, progress, _ = run(port, tmp_path, output=tmp_path / "out", options={})

    assert outcomes["cat.mp3"].shown == tmp_path / "out" / "cat_bg_removed.png"
    assert not progress


def test_a_file_that_is_handed_over_has_one_end(port: int, tmp_path: Path) -> None:
    """A damaged start may hide a photo from the run; then the machine hands it over."""
    path = tmp_path / "cat.png"
    path.write_bytes(png(square()))
    told: list[Outcome | TranscriptProgress] = []

    with attached(port, RunRequest({}, None, [RECORDING.product])) as cloud:
        (outcome,) = process(
            cloud,
            [MediaFile(path, "cat", RECORDING)],
            options={},
            output=tmp_path / "out",
            on_progress=told.append,
        )

    assert outcome.done, outcome.reason
    assert told == [outcome]


def test_words_that_are_not_latin_reach_the_transcript(port: int, tmp_path: Path) -> None:
    (tmp_path / "talk.flac").write_bytes(Script(windows=1, padding="words").recording())
    prompt = f"Zürich, 東京, {'Matteline ' * 20}".strip()

    outcomes, _, _ = run(port, tmp_path, output=tmp_path / "out", options={"prompt": prompt})

    record = outcomes["talk.flac"].record
    assert record is not None

    assert json.loads(record.read_bytes())["options"]["prompt"] == prompt


def test_a_recording_that_fails_says_why(port: int, tmp_path: Path) -> None:
    script = Script(windows=2, fails={"silero-vad": "CorruptMedia"})
    (tmp_path / "talk.flac").write_bytes(script.recording())

    outcomes, _, _ = run(port, tmp_path, output=tmp_path / "out", options={})

    assert outcomes["talk.flac"].status == "QUARANTINED"
    assert outcomes["talk.flac"].reason.startswith("CorruptMedia: ")
    assert not (tmp_path / "out").exists()

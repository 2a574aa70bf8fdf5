"""WriteTranscript reads windows from the work bucket and writes every format to it."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from containers.transcript_writer.handler import handler
from containers.transcript_writer.parts import PartMissing
from containers.transcript_writer.windows import TranscribedWindow
from pipeline.artifacts import Artifact, LocalStore, Location
from pipeline.contracts.audio_windows import AudioPlan
from pipeline.contracts.speakers import PartSpeakers, part_key
from pipeline.contracts.transcript import (
    Recording,
    SourceRecording,
    TranscriptWritten,
    WindowMissing,
    WindowsDone,
    WriteTranscript,
    window_key,
)
from pipeline.contracts.transcript_files import TranscriptFile
from pipeline.workbench import Settings, TaskContext, Workbench
from tests.conftest import ROOT
from tests.containers.transcript_writer import DIARIZER, WEIGHTS, part, spoken, window

ENGLISH = window(spoken("And so, ask not.", start=1.0), index=0, end=30.0)
GERMAN = window(
    spoken("Frage nicht, was du tust.", start=31.0, language="de"), index=1, start=30.0, end=60.0
)
DENOISED = TranscriptFile(
    kind="denoised",
    media_type="audio/flac",
    artifact=Artifact(uri="s3://matteline-work/jobs/1/denoised.flac", sha256="1" * 64, bytes=9),
    work_key="jobs/1/denoised.flac",
    output_key="talks/talk_denoised.flac",
)
TAGS = TranscriptFile(
    kind="tags",
    media_type="application/json",
    artifact=Artifact(uri="s3://matteline-work/jobs/1/tags.json", sha256="2" * 64, bytes=9),
    work_key="jobs/1/tags.json",
    output_key="talks/talk_tags.json",
)
MODEL = "pyannote-campplus"
# The second voice speaks first.
DIALOGUE = part(
    (1.6, 2.5, 0), (0.9, 1.6, 1), voices=((1.0, 0.0), (0.0, 1.0)), remarks=("A voice is faint.",)
)
# Ten hours of 10,000 words an hour, in the memory of the function.
LONG = """
import resource, sys
from pathlib import Path
from tests.containers.transcript_writer.test_handler import long_recording
resource.setrlimit(resource.RLIMIT_AS, (1024 * 2**20, 1024 * 2**20))
done = long_recording(Path(sys.argv[1]))
print(done.words, len(done.speakers))
"""


@pytest.fixture
def context(tmp_path: Path) -> TaskContext:
    return context_in(tmp_path)


def context_in(folder: Path) -> TaskContext:
    settings = Settings(scratch=folder / "scratch")
    return TaskContext(Workbench(root=ROOT, settings=settings, store=LocalStore(folder / "store")))


def job_for(context: TaskContext, *windows: TranscribedWindow, **changes: Any) -> WriteTranscript:
    duration_s = max((each.window.end for each in windows), default=0.0)
    plan = AudioPlan(duration_s=duration_s, windows=tuple(each.window for each in windows))
    place = Location("work", "jobs/1/plan.json")
    job = WriteTranscript(
        schema_version=1, job_id="1", execution="e",
        source=SourceRecording(
            bucket="ingest", key="talks/talk.mp3", version_id=None, etag="", sha256="0" * 64,
            bytes=1, media_type="audio/mpeg", format="mp3",
        ),
        recording=Recording(codec="mp3", rate=44_100, channels=2, duration_s=duration_s),
        plan=context.store.write(place, plan.model_dump_json().encode(), media_type=""),
        speech_model="whisper-base", align_model=None, speaker_model=None,
        speakers=None, least_speakers=None, most_speakers=None, name_speakers=False,
        denoised=None, tags=None,
        work_bucket="work", work_prefix="jobs/1", output_stem="talks/talk",
    )  # fmt: skip
    return job.model_copy(update=changes)


def put_windows(context: TaskContext, *windows: TranscribedWindow) -> None:
    for _, said in windows:
        key = window_key("jobs/1", speech_model="whisper-base", align_model=None, index=said.index)
        context.store.write(Location("work", key), said.model_dump_json().encode(), media_type="")


def put_parts(context: TaskContext, *parts: PartSpeakers) -> None:
    for each in parts:
        key = part_key("jobs/1", model=MODEL, index=each.index)
        context.store.write(Location("work", key), each.model_dump_json().encode(), media_type="")


def run(job: WriteTranscript, context: TaskContext) -> TranscriptWritten:
    return handler.__wrapped__(job, context)  # type: ignore[attr-defined, no-any-return]


def contents(result: TranscriptWritten, context: TaskContext) -> dict[str, str]:
    return {
        file.kind: context.store.read(Location.parse(file.artifact.uri)).decode()
        for file in result.files
    }


def long_recording(folder: Path) -> TranscriptWritten:
    """100,000 words in 120 windows of 300 seconds, with 20 speakers in each of 20 parts."""
    context = context_in(folder)
    sentence = "The third paragraph of it, as it was signed, says nothing about the roof."
    windows = [
        window(
            *(spoken(sentence, start=300.0 * index + 5.0 * at) for at in range(60)),
            index=index, start=300.0 * index, end=300.0 * index + 300,
        )
        for index in range(120)
    ]  # fmt: skip
    voices = [[float(at == person) for at in range(256)] for person in range(20)]
    parts = [
        part(
            *(
                (start, start + 3.0, at % 20)
                for at in range(720)
                for start in [1800.0 * index + 2.5 * at]
            ),
            index=index, voices=voices,
        )
        for index in range(20)
    ]  # fmt: skip
    put_windows(context, *windows)
    put_parts(context, *parts)
    return run(job_for(context, *windows, speaker_model=MODEL, name_speakers=True), context)


def test_every_format_is_written_under_its_keys(context: TaskContext) -> None:
    put_windows(context, ENGLISH, GERMAN)

    result = run(job_for(context, ENGLISH, GERMAN), context)

    assert [(file.kind, file.work_key, file.output_key) for file in result.files] == [
        ("transcript", "jobs/1/transcript.json", "talks/talk_transcript.json"),
        ("srt", "jobs/1/transcript.srt", "talks/talk_transcript.srt"),
        ("vtt", "jobs/1/transcript.vtt", "talks/talk_transcript.vtt"),
        ("text", "jobs/1/transcript.txt", "talks/talk_transcript.txt"),
    ]
    written = contents(result, context)
    assert [each["text"] for each in json.loads(written["transcript"])["segments"]] == [
        "And so, ask not.",
        "Frage nicht, was du tust.",
    ]
    assert written["text"] == "And so, ask not.\n\nFrage nicht, was du tust.\n"
    assert "And so, ask not." in written["srt"]
    assert written["vtt"].startswith("WEBVTT\n\n00:00:01.000 --> ")


def test_the_result_sums_up_the_windows(context: TaskContext) -> None:
    put_windows(context, ENGLISH, GERMAN)

    result = run(job_for(context, ENGLISH, GERMAN), context)

    assert (result.languages, result.words, result.coverage) == (("de", "en"), 9, 1.0)
    assert (result.weights_sha256, result.windows.windows) == (WEIGHTS, 2)
    assert result.windows.metrics["tokens"] == 6.0


def test_a_denoised_recording_is_published_with_the_transcript(context: TaskContext) -> None:
    result = run(job_for(context, denoised=DENOISED), context)

    assert result.files[-1] == DENOISED
    assert len(result.files) == 5


def test_tags_are_published_with_the_transcript(context: TaskContext) -> None:
    result = run(job_for(context, denoised=DENOISED, tags=TAGS), context)

    assert result.files[-2:] == (TAGS, DENOISED)
    assert len(result.files) == 6


def test_without_a_speaker_model_nobody_is_told_apart(context: TaskContext) -> None:
    put_windows(context, ENGLISH)
    put_parts(context, DIALOGUE)

    result = run(job_for(context, ENGLISH), context)

    assert (result.speakers, result.diarized) == (None, None)
    assert "speakers" not in contents(result, context)


def test_speakers_are_in_every_format(context: TaskContext) -> None:
    put_windows(context, ENGLISH)
    put_parts(context, DIALOGUE)

    result = run(job_for(context, ENGLISH, speaker_model=MODEL), context)

    written = contents(result, context)
    segments = json.loads(written["transcript"])["segments"]
    assert [(each["speaker"], each["text"]) for each in segments] == [
        ("SPEAKER_00", "And so,"),
        ("SPEAKER_01", "ask not."),
    ]
    assert written["vtt"].startswith(
        "WEBVTT\n\n00:00:01.000 --> 00:00:01.833\n<v SPEAKER_00>And so,\n"
    )
    assert "<v SPEAKER_01>ask not.\n" in written["vtt"]
    assert written["text"] == "And so,\n\nask not.\n"
    assert "SPEAKER" not in written["srt"]
    assert written["speakers"] == (
        "SPEAKER talk 1 0.900 0.700 <NA> <NA> SPEAKER_00 <NA> <NA>\n"
        "SPEAKER talk 1 1.600 0.900 <NA> <NA> SPEAKER_01 <NA> <NA>\n"
    )
    rttm = result.files[4]
    assert (rttm.kind, rttm.work_key, rttm.output_key) == (
        "speakers", "jobs/1/transcript.rttm", "talks/talk_speakers.rttm",
    )  # fmt: skip


def test_names_are_written_into_subrip_and_text_if_asked_for(context: TaskContext) -> None:
    put_windows(context, ENGLISH)
    put_parts(context, DIALOGUE)

    result = run(job_for(context, ENGLISH, speaker_model=MODEL, name_speakers=True), context)

    written = contents(result, context)
    assert written["text"] == "SPEAKER_00: And so,\n\nSPEAKER_01: ask not.\n"
    assert [line for line in written["srt"].splitlines() if "SPEAKER" in line] == [
        "SPEAKER_00: And so,",
        "SPEAKER_01: ask not.",
    ]
    assert "<v SPEAKER_00>And so,\n" in written["vtt"]


def test_the_result_sums_up_the_parts_and_names_speakers_as_they_appear(
    context: TaskContext,
) -> None:
    put_windows(context, ENGLISH)
    put_parts(context, DIALOGUE)

    result = run(job_for(context, ENGLISH, speaker_model=MODEL, least_speakers=3), context)

    assert list((result.speakers or {}).items()) == [("SPEAKER_00", 0.7), ("SPEAKER_01", 0.9)]
    assert result.diarized == WindowsDone(
        windows=1, metrics={"embed_ms": 1.5}, provenance=(DIARIZER,)
    )
    assert result.remarks == (
        "At least 3 speakers were expected, and 2 could be told apart.",
        "A voice is faint.",
    )


def test_a_recording_without_speech_has_no_speakers(context: TaskContext) -> None:
    result = run(job_for(context, speaker_model=MODEL, least_speakers=2), context)

    assert contents(result, context)["speakers"] == ""
    assert (result.speakers, result.remarks) == ({}, ())
    assert result.diarized == WindowsDone(windows=0, metrics={}, provenance=())


def test_nothing_is_written_if_a_part_is_missing(context: TaskContext) -> None:
    put_windows(context, ENGLISH)

    with pytest.raises(PartMissing):
        run(job_for(context, ENGLISH, speaker_model=MODEL), context)
    with pytest.raises(KeyError):
        context.store.read(Location("work", "jobs/1/transcript.json"))


def test_a_recording_without_speech_is_a_success_with_empty_files(context: TaskContext) -> None:
    result = run(job_for(context), context)

    assert contents(result, context) == {
        "transcript": '{"language":null,"segments":[],"word_segments":[]}\n',
        "srt": "",
        "vtt": "WEBVTT\n",
        "text": "",
    }
    assert (result.words, result.languages, result.weights_sha256) == (0, (), None)


def test_nothing_is_written_if_a_window_is_missing(context: TaskContext) -> None:
    put_windows(context, ENGLISH)

    with pytest.raises(WindowMissing):
        run(job_for(context, ENGLISH, GERMAN), context)
    with pytest.raises(KeyError):
        context.store.read(Location("work", "jobs/1/transcript.json"))


def test_ten_hours_fit_in_the_functions_memory(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", LONG, str(tmp_path)], cwd=ROOT, capture_output=True, text=True,
        check=False, timeout=300,
    )  # fmt: skip

    assert done.stdout == "100800 20\n", done.stderr

"""In the deployed stage, speakers are told apart in parts, and sounds are named."""

from __future__ import annotations

from datetime import datetime
from typing import Final

import pytest

from pipeline.operations.executions import Execution
from tests.bench.audio.rttm import read_rttm
from tests.small_models import TURNS, conversation
from tests.wiring.stage import Stage

pytestmark = [pytest.mark.wiring, pytest.mark.timeout(300)]

SPEECH_PITCH: Final = 1  # what the small tagger calls speech
STOPPED_AT: Final = "AnalyseAudio"
OPTIONS: Final = {"diarize": "true", "tags": "true", "hop_s": "2.5"}
MODEL: Final = "pyannote-campplus"


@pytest.fixture(scope="module")
def recording() -> bytes:
    return conversation()


@pytest.fixture(scope="module")
def done(stage: Stage, recording: bytes) -> Execution:
    return stage.drop(recording, "spoken/talk.flac", machine="transcript", **OPTIONS)


def speaker(pitch: int) -> str:
    """Return the name of the speaker with a pitch: the first one appears first."""
    return f"SPEAKER_0{pitch - 1}"


def test_speakers_are_the_same_people_in_both_parts(stage: Stage, done: Execution) -> None:
    assert done.status == "SUCCEEDED", done.reason
    turns = read_rttm(stage.read("output", "spoken/talk_speakers.rttm").decode())

    assert [turn.speaker for turn in turns] == [speaker(pitch) for *_, pitch in TURNS]
    for turn, (start, end, _) in zip(turns, TURNS, strict=True):
        assert (turn.start, turn.end) == pytest.approx((start, end), abs=0.05)


def test_every_word_has_the_speaker_who_says_it(stage: Stage, done: Execution) -> None:
    """The small Whisper begins its words a little before the tone, so some are left out here."""
    assert done.status == "SUCCEEDED", done.reason
    words = stage.read_json("output", "spoken/talk_transcript.json")["word_segments"]

    for start, end, pitch in TURNS:
        said = [word["speaker"] for word in words if start <= word["start"] and word["end"] <= end]
        assert len(said) > 2
        assert set(said) == {speaker(pitch)}


def test_a_sound_is_named_when_it_sounds(stage: Stage, done: Execution) -> None:
    assert done.status == "SUCCEEDED", done.reason
    spans = stage.read_json("output", "spoken/talk_tags.json")["spans"]

    assert {span["label"] for span in spans} == {"Speech"}
    sounding = [(start, end) for start, end, pitch in TURNS if pitch == SPEECH_PITCH]
    for span, times in zip(spans, sounding, strict=True):
        assert (span["start"], span["end"]) == pytest.approx(times, abs=0.25)


def test_the_record_names_both_models_and_says_how_long_everybody_speaks(
    stage: Stage, done: Execution
) -> None:
    assert done.status == "SUCCEEDED", done.reason
    record = stage.read_json("output", "spoken/talk_transcript.record.json")

    assert (record["speaker_model"], record["tag_model"]) == (MODEL, "efficientat-mn10-as")
    assert record["speakers"] == pytest.approx({speaker(1): 8, speaker(2): 8}, abs=0.2)
    assert record["predictions"][0]["label"] == "Speech"
    makers = {name: record["tasks"][name]["provenance"] for name in ("Diarize", "TagAudio")}
    assert [each["container"] for each in makers["Diarize"]] == ["diarizer"]
    assert makers["TagAudio"]["container"] == "audio-tagger"


def test_a_part_that_is_there_is_not_made_again(stage: Stage, recording: bytes) -> None:
    """The second part is denied at first; what the others have made by then stays as it is."""
    role = stage.names.function("diarizer", MODEL)
    with stage.denied(role, "s3:GetObject", "work", "*/speech/0001.flac"):
        failed = stage.drop(recording, "stopped/talk.flac", machine="transcript", **OPTIONS)
    assert (failed.status, failed.error) == ("FAILED", "AccessDenied")
    before = made(stage, failed)

    redriven = stage.redrive(failed, "transcript", at=STOPPED_AT)

    assert redriven.status == "SUCCEEDED", redriven.reason
    after = made(stage, failed)
    assert {key: after[key] for key in before} == before
    assert {f"speakers/{MODEL}/0000.json", "windows/whisper-base/0001.json"} <= before.keys()
    assert after.keys() - before.keys() == {f"speakers/{MODEL}/0001.json"}
    turns = read_rttm(stage.read("output", "stopped/talk_speakers.rttm").decode())
    assert [turn.speaker for turn in turns] == [speaker(pitch) for *_, pitch in TURNS]


def made(stage: Stage, execution: Execution) -> dict[str, datetime]:
    """Return when each window and each part was written, by key in the execution's folder."""
    s3, bucket = stage.cloud.client("s3"), stage.names.bucket("work")
    folder = f"{stage.entered(execution, STOPPED_AT)['job']['work_prefix']}/"
    found = s3.list_objects_v2(Bucket=bucket, Prefix=folder)["Contents"]
    times = {each["Key"].removeprefix(folder): each["LastModified"] for each in found}
    return {key: time for key, time in times.items() if key.startswith(("speakers/", "windows/"))}

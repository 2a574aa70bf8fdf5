"""A recording uploaded to the deployed stage is processed as on AWS."""

from __future__ import annotations

import hashlib

import pytest

from pipeline.audio.flac import decode_flac
from pipeline.operations.executions import Execution
from tests.pictures import png, unpng
from tests.small_models import LONG_S, LOUD, RATE, TEXT, talk
from tests.wiring.deployment import RELEASE
from tests.wiring.stage import Stage
from tests.wiring.test_photos import SIDE, disc

pytestmark = pytest.mark.wiring


def drop(stage: Stage, key: str, **options: str) -> Execution:
    return stage.drop(talk(), key, machine="transcript", **options)


def test_an_uploaded_recording_becomes_a_transcript(stage: Stage) -> None:
    execution = drop(stage, "trips/talk.wav")

    assert execution.status == "SUCCEEDED", execution.reason
    transcript = stage.read_json("output", "trips/talk_transcript.json")
    words = [word for segment in transcript["segments"] for word in segment["words"]]
    assert stage.read("output", "trips/talk_transcript.txt").decode().strip() == TEXT
    assert " ".join(word["word"] for word in words) == TEXT
    times = [time for word in words for time in (word["start"], word["end"])]
    assert times == sorted(times)
    assert (times[0], times[-1]) == (pytest.approx(LOUD[0], abs=0.3), pytest.approx(4.5, abs=0.8))
    assert stage.read("output", "trips/talk_transcript.srt").endswith(f"\n{TEXT}\n".encode())
    assert stage.read("output", "trips/talk_transcript.vtt").startswith(b"WEBVTT\n")


def test_the_output_record_and_the_row_describe_the_recordings_job(stage: Stage) -> None:
    execution = drop(stage, "recorded/talk.wav")

    record = stage.read_json("output", "recorded/talk_transcript.record.json")
    tasks = {name: each["provenance"] for name, each in record["tasks"].items()}
    released = f"sha256:{RELEASE['ImageDigestHex']}"
    assert {each["sha256"] for each in record["files"]} == {
        hashlib.sha256(stage.read("output", key)).hexdigest() for key in record["outputs"]
    }
    assert (tasks["Diarize"], tasks["TagAudio"]) == (None, None)
    assert tasks["ReadAudio"]["image_digest"] == released
    assert tasks["Transcribe"][0]["container"] == "transcriber"
    assert record["model"] == "whisper-base"
    row = stage.record_of(execution)
    assert (row["status"], row["product"], row["machine"]) == ("DONE", "transcript", "transcript")


def test_a_denoised_recording_is_published_and_transcribed(stage: Stage) -> None:
    execution = drop(stage, "noisy/talk.wav", denoise="true", transcribe_denoised="true")

    assert execution.status == "SUCCEEDED", execution.reason
    denoised, rate = decode_flac(stage.read("output", "noisy/talk_denoised.flac"))
    assert (rate, denoised.shape) == (RATE, (LONG_S * RATE, 1))
    assert stage.read_json("output", "noisy/talk_transcript.record.json")["local_snr_db"]


def test_a_photo_with_a_recordings_name_is_handed_over(stage: Stage) -> None:
    first = stage.drop(png(disc()), "handed/disc.mp3", machine="transcript")

    done = stage.ended("cutout", "handed/disc.mp3")
    assert (first.verdict, first.handed_to) == ("HANDED_OVER", done.arn)
    assert (done.name, done.verdict) == (first.name, "DONE")
    assert unpng(stage.read("output", "handed/disc_bg_removed.png")).shape == (SIDE, SIDE, 4)


def test_a_recording_with_a_photos_name_is_handed_over(stage: Stage) -> None:
    first = stage.drop(talk(), "handed/talk.jpg")

    done = stage.ended("transcript", "handed/talk.jpg")
    assert (first.verdict, first.handed_to) == ("HANDED_OVER", done.arn)
    assert done.verdict == "DONE", done.reason
    assert stage.read("output", "handed/talk_transcript.txt").decode().strip() == TEXT


def test_what_is_no_recording_is_quarantined_with_a_reason(stage: Stage) -> None:
    execution = stage.drop(b"a shopping list\n", "notes.mp3", machine="transcript")

    reason = stage.read_json("quarantine", f"{execution.name}/reason.json")
    assert (execution.status, execution.error) == ("FAILED", "UnsupportedMedia")
    assert reason["error"] == "UnsupportedMedia"
    assert stage.record_of(execution)["status"] == "QUARANTINED"

"""A recording goes through the transcript machine, whatever is asked for and whatever fails."""

from __future__ import annotations

import pytest

from pipeline.local.deployment import NAMES
from tests.execution.driver import Driver
from tests.transcripts.stubs.script import ALWAYS, EXIT, Script
from tests.transcripts.user import Recordings

ALIGNER = "wav2vec2-base-960h"
BASE, TINY = "whisper-base", "whisper-tiny"


def test_a_recording_becomes_a_transcript(recordings: Recordings) -> None:
    done = recordings.drop(Script(windows=3), "trips/talk.mp3")

    assert done.output["status"] == "DONE"
    assert recordings.read("output", "trips/talk_transcript.txt") == (
        b"whisper-base 0\nwhisper-base 1\nwhisper-base 2"
    )
    record = recordings.record("trips/talk.mp3")
    assert record["product"] == "transcript"
    assert record["source"]["format"] == "flac"
    assert record["outputs"] == [
        f"trips/talk_transcript.{each}" for each in ("json", "srt", "vtt", "txt")
    ]
    assert record["tasks"]["Transcribe"]["windows"] == 3
    assert record["tasks"]["Denoise"] == {"metrics": None, "provenance": None}
    row = recordings.driver.record(done.output["job_id"])
    assert (row["status"], row["product"], row["model"]) == ("DONE", "transcript", BASE)


def test_each_model_is_staged_once_and_only_if_it_is_asked_for(recordings: Recordings) -> None:
    driver = recordings.driver
    first = recordings.drop(Script(windows=1), "staging/plain.mp3")
    again = recordings.drop(Script(windows=1), "staging/again.mp3")
    more = recordings.drop(Script(windows=1), "staging/more.mp3", denoise="true", align=ALIGNER)

    assert driver.states_of(again).count("StageWeights") == 0
    assert driver.states_of(more).count("StageWeights") == 2
    assert first.output["status"] == "DONE"
    assert driver.states_of(more).count("NothingToStage") == 4


def test_a_denoised_recording_is_published_with_its_transcript(recordings: Recordings) -> None:
    done = recordings.drop(Script(windows=2), "noisy.wav", denoise="true")

    assert {each["kind"] for each in done.output["files"]} >= {"transcript", "denoised"}
    record = recordings.record("noisy.wav")
    assert record["outputs"][-1] == "noisy_denoised.flac"
    assert record["local_snr_db"] == 12.5
    assert record["tasks"]["Denoise"]["provenance"]["container"] == "stubs"


def test_denoised_speech_is_transcribed_on_request(recordings: Recordings) -> None:
    done = recordings.drop(
        Script(windows=2), "cleaned.wav", denoise="true", transcribe_denoised="true"
    )

    (job,) = {key.split("/")[0] for key in recordings.driver.keys("work") if "denoised/" in key}
    assert job == done.output["job_id"]


@pytest.mark.parametrize("script", [Script(), Script(sound=False)], ids=["silence", "silent film"])
def test_without_speech_a_recording_has_an_empty_transcript(
    recordings: Recordings, script: Script
) -> None:
    key = f"quiet/{script.sound}.mp4"

    done = recordings.drop(script, key, denoise="true", align=ALIGNER)

    assert done.output["status"] == "DONE"
    assert "Transcribe" not in recordings.driver.states_of(done)
    record = recordings.record(key)
    assert (record["words"], record["languages"], record["weights_sha256"]) == (0, [], None)
    assert ("denoised" in {each["kind"] for each in record["files"]}) == script.sound


def test_words_are_timed_again_on_request(recordings: Recordings) -> None:
    done = recordings.drop(Script(windows=2), "aligned.mp3", align=ALIGNER)

    assert done.output["status"] == "DONE"
    assert recordings.read("output", "aligned_transcript.txt") == (
        f"{ALIGNER} 0\n{ALIGNER} 1".encode()
    )


def test_incomplete_weights_are_staged_again_once_and_no_window_is_done_twice(
    recordings: Recordings,
) -> None:
    script = Script(windows=3, fails={f"{BASE}/2": "WeightsNotStaged"})

    done = recordings.drop(script, "incomplete.mp3", concurrency="1")

    assert done.output["status"] == "DONE"
    assert recordings.driver.states_of(done).count("StageAgain") == 1
    assert recordings.calls(done) == {
        "silero-vad": 2, f"{BASE}/0": 1, f"{BASE}/1": 1, f"{BASE}/2": 2,
    }  # fmt: skip


def test_weights_that_stay_incomplete_fail_the_execution(
    recordings: Recordings, driver: Driver
) -> None:
    script = Script(windows=1, fails={f"{BASE}/0": f"{ALWAYS}WeightsNotStaged"})

    failed = recordings.drop(script, "unstaged.mp3")

    assert (failed.status, failed.error) == ("FAILED", "WeightsNotStaged")
    assert driver.states_of(failed).count("StageAgain") == 1
    assert driver.states_of(failed)[-2:] == ["RecordFailure", "Failed"]


def test_a_model_that_is_too_large_is_replaced_by_its_fallback_for_all_windows(
    recordings: Recordings,
) -> None:
    script = Script(windows=2, fails={f"{BASE}/1": "OutOfMemory"})

    done = recordings.drop(script, "large.mp3", allow_fallback="true")

    assert (done.output["status"], done.output["model"]) == ("DONE", TINY)
    assert done.output["degraded"] is True
    assert recordings.read("output", "large_transcript.txt") == b"whisper-tiny 0\nwhisper-tiny 1"
    assert recordings.driver.record(done.output["job_id"])["model"] == TINY


def test_a_fallback_is_for_speech_only(recordings: Recordings) -> None:
    """Nothing is gained from a lighter speech model if it is the aligner that needs more memory."""
    script = Script(windows=1, fails={f"{ALIGNER}/0": "OutOfMemory"})

    failed = recordings.drop(script, "narrow.mp3", align=ALIGNER, allow_fallback="true")

    assert (failed.status, failed.error) == ("FAILED", "OutOfMemory")
    assert "UseFallback" not in recordings.driver.states_of(failed)


@pytest.mark.parametrize(
    ("where", "error"),
    [
        ("silero-vad", "NoAudio"),
        (f"{BASE}/0", "UnsupportedLanguage"),
        (f"{ALIGNER}/0", "CorruptMedia"),
    ],
)
def test_a_permanent_error_of_any_task_is_quarantined_under_its_own_name(
    recordings: Recordings, where: str, error: str
) -> None:
    script = Script(windows=1, fails={where: error})

    refused = recordings.drop(script, f"refused/{error}.mp3", align=ALIGNER)

    assert (refused.status, refused.error, refused.verdict) == ("FAILED", error, "QUARANTINED")
    reason = recordings.driver.reason(refused)
    assert (reason["error"], reason["message"]) == (error, f"{where} was told to fail")
    row = recordings.driver.record(reason["job"]["job_id"])
    assert (row["status"], row["error"], row["product"]) == ("QUARANTINED", error, "transcript")


@pytest.mark.parametrize("where", ["silero-vad", f"{BASE}/1"])
def test_an_outage_fails_the_execution_uncaught_so_that_it_can_be_redriven(
    recordings: Recordings, where: str
) -> None:
    script = Script(windows=2, fails={where: "StoreUnavailable"})

    failed = recordings.drop(script, f"outage/{where.replace('/', '-')}.mp3", concurrency="1")

    assert (failed.status, failed.error) == ("FAILED", "StoreUnavailable")
    assert recordings.driver.states_of(failed)[-1] in {"ReadAudio", "Transcribe"}
    assert recordings.calls(failed)[where] == 2  # a try and a retry


def test_a_process_that_ends_in_a_window_is_a_function_that_is_too_small(
    recordings: Recordings,
) -> None:
    script = Script(windows=1, fails={f"{BASE}/0": EXIT})

    failed = recordings.drop(script, "killed.mp3")
    done = recordings.drop(script, "killed.mp3", allow_fallback="true")

    assert (failed.status, failed.error) == ("FAILED", "Runtime.ExitError")
    assert recordings.driver.states_of(failed)[-2:] == ["RecordFailure", "Failed"]
    assert (done.output["status"], done.output["model"]) == ("DONE", TINY)


def test_a_recording_that_is_uploaded_again_is_a_duplicate(recordings: Recordings) -> None:
    script = Script(windows=1, padding="duplicate")
    first = recordings.drop(script, "twice.mp3")

    second = recordings.drop(script, "twice.mp3")

    assert second.output["status"] == "DUPLICATE"
    assert second.output["job_id"] == first.output["job_id"]
    assert recordings.drop(script, "twice.mp3", concurrency="9").output["status"] == "DUPLICATE"
    assert recordings.drop(script, "twice.mp3", translate="true").output["status"] == "DONE"


def test_a_transcript_that_was_deleted_is_made_again(recordings: Recordings) -> None:
    script = Script(windows=1, padding="again")
    recordings.drop(script, "again.mp3")
    recordings.driver.s3.delete_object(Bucket=NAMES.bucket("output"), Key="again_transcript.vtt")

    again = recordings.drop(script, "again.mp3")

    assert again.output["status"] == "DONE"
    assert recordings.read("output", "again_transcript.vtt")


def test_a_forced_execution_does_the_job_again(recordings: Recordings, driver: Driver) -> None:
    recordings.drop(Script(windows=1, padding="forced"), "forced.mp3")
    given = {"bucket": NAMES.bucket("ingest"), "key": "forced.mp3", "force": True}

    arn = driver.begin(given, machine="transcript")
    driver.wait_until_ended(arn)

    assert recordings.record("forced.mp3")["execution"] == arn

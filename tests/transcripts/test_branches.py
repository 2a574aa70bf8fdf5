"""Speakers are told apart and sounds are named while a recording is transcribed."""

from __future__ import annotations

import pytest

from pipeline.operations.executions import find_execution
from pipeline.operations.lookup import Job
from pipeline.operations.replaying import Changes, replay
from pipeline.operations.site import Site
from tests.calm import wait_for_calm
from tests.execution.driver import PATIENCE_S
from tests.execution.operating import outcome, row_of
from tests.transcripts.stubs.script import ALWAYS, EXIT, ONCE, UNTIL_REPLAYED, Script
from tests.transcripts.user import Recordings

DIARIZER, TAGGER, SPEECH = "pyannote-campplus", "efficientat-mn10-as", "whisper-base"
STUB = {"container": "stubs", "version": "0.0.0", "image_digest": "none"}
HOUR = 13  # windows, of which the last one begins after the hour
BOTH = {"diarize": "true", "tags": "true"}


def test_speakers_and_tags_are_published_with_the_transcript(recordings: Recordings) -> None:
    done = recordings.drop(Script(windows=HOUR), "both/talk.mp3", **BOTH)

    assert done.output["status"] == "DONE"
    record = recordings.record("both/talk.mp3")
    assert record["outputs"][-2:] == ["both/talk_speakers.rttm", "both/talk_tags.json"]
    assert recordings.read("output", "both/talk_tags.json").startswith(b"00 Domestic animals")
    assert (record["speaker_model"], record["tag_model"]) == (DIARIZER, TAGGER)
    assert record["speakers"]["SPEAKER_00"] == 12_345.678
    assert record["predictions"][0] == {"label": "00 Domestic animals, pets", "score": 0.5}
    assert record["tasks"]["Diarize"] == {
        "windows": 3, "metrics": {"diarize_ms": 3.0}, "provenance": [STUB],
    }  # fmt: skip
    tagging = record["tasks"]["TagAudio"]
    assert tagging["metrics"]["duration_s"] == 1.0
    assert tagging["provenance"]["container"] == "stubs"


def test_every_part_is_diarized_once(recordings: Recordings) -> None:
    done = recordings.drop(Script(windows=HOUR), "parts.mp3", diarize="true")

    calls = recordings.calls(done)
    assert {name: count for name, count in calls.items() if name.startswith(DIARIZER)} == {
        f"{DIARIZER}/0": 1, f"{DIARIZER}/1": 1, f"{DIARIZER}/2": 1,
    }  # fmt: skip


def test_what_nobody_asked_for_is_left_out(recordings: Recordings) -> None:
    plain = recordings.drop(Script(windows=1), "plain.mp3")
    tagged = recordings.drop(Script(windows=1), "tagged.mp3", tags="true")
    told_apart = recordings.drop(Script(windows=1), "apart.mp3", diarize="true")

    models = {DIARIZER, f"{DIARIZER}/0", TAGGER}
    assert recordings.calls(plain).keys() & models == set()
    assert recordings.calls(tagged).keys() & models == {TAGGER}
    assert recordings.calls(told_apart).keys() & models == {f"{DIARIZER}/0"}
    record = recordings.record("plain.mp3")
    assert [record[each] for each in ("speakers", "speaker_model", "predictions", "tag_model")] == [
        None, None, None, None,
    ]  # fmt: skip
    assert record["tasks"]["Diarize"] == {"windows": None, "metrics": None, "provenance": None}
    assert record["tasks"]["TagAudio"] == {"metrics": None, "provenance": None}
    assert recordings.record("tagged.mp3")["speakers"] is None
    assert recordings.record("apart.mp3")["predictions"] is None


@pytest.mark.parametrize(
    ("script", "labels"),
    [(Script(), 10), (Script(sound=False), 0)],
    ids=["silence", "silent film"],
)
def test_without_speech_sounds_are_named_and_nobody_speaks(
    recordings: Recordings, script: Script, labels: int
) -> None:
    key = f"unspoken/{script.sound}.mp4"

    done = recordings.drop(script, key, **BOTH)

    assert done.output["status"] == "DONE"
    record = recordings.record(key)
    assert (len(record["predictions"]), record["speakers"]) == (labels, {})
    assert {each["kind"] for each in record["files"]} >= {"tags", "speakers"}
    assert "Diarize" not in recordings.driver.states_of(done)


@pytest.mark.parametrize(
    ("where", "error"),
    [(f"{DIARIZER}/0", "OutOfMemory"), (TAGGER, "OutOfStorage"), (f"{DIARIZER}/0", EXIT)],
)
def test_a_diarizer_or_a_tagger_that_is_too_small_fails_under_its_own_error(
    recordings: Recordings, where: str, error: str
) -> None:
    """A lighter speech model is no remedy, so none is tried; the windows are done by then."""
    script = Script(windows=2, fails={where: error})

    failed = recordings.drop(script, f"small/{error}.mp3", allow_fallback="true", **BOTH)

    own = "Runtime.ExitError" if error == EXIT else error
    assert (failed.status, failed.error) == ("FAILED", own)
    states = recordings.driver.states_of(failed)
    assert states[-2:] == ["RecordFailure", "Failed"]
    assert "UseFallback" not in states
    assert {f"{SPEECH}/0", f"{SPEECH}/1"} <= recordings.calls(failed).keys()
    (row,) = recordings.driver.records_of(f"small/{error}.mp3")
    assert (row["status"], row["error"], row["model"]) == ("FAILED", own, SPEECH)


def test_a_fallback_for_speech_finds_the_parts_that_are_there(recordings: Recordings) -> None:
    script = Script(windows=7, fails={f"{SPEECH}/6": "OutOfMemory"})

    done = recordings.drop(script, "fallback.mp3", allow_fallback="true", diarize="true")

    assert (done.output["status"], done.output["model"]) == ("DONE", "whisper-tiny")
    record = recordings.record("fallback.mp3")
    assert (record["speaker_model"], record["tasks"]["Diarize"]["windows"]) == (DIARIZER, 2)


@pytest.mark.parametrize("where", [f"{DIARIZER}/1", TAGGER])
def test_incomplete_weights_are_staged_again_once(recordings: Recordings, where: str) -> None:
    key = f"incomplete/{where.replace('/', '-')}.mp3"
    script = Script(windows=7, fails={where: f"{ONCE}WeightsNotStaged"})

    done = recordings.drop(script, key, concurrency="1", **BOTH)

    assert done.output["status"] == "DONE"
    assert recordings.driver.states_of(done).count("StageAgain") == 1
    assert recordings.calls(done)[where] == 2


@pytest.mark.parametrize("where", [f"{DIARIZER}/0", TAGGER])
def test_weights_that_stay_incomplete_fail_the_execution(
    recordings: Recordings, where: str
) -> None:
    key = f"unstaged/{where.replace('/', '-')}.mp3"
    script = Script(windows=1, fails={where: f"{ALWAYS}WeightsNotStaged"})

    failed = recordings.drop(script, key, **BOTH)

    assert (failed.status, failed.error) == ("FAILED", "WeightsNotStaged")
    assert recordings.driver.states_of(failed).count("StageAgain") == 1
    assert recordings.driver.states_of(failed)[-2:] == ["RecordFailure", "Failed"]


@pytest.mark.parametrize(
    ("where", "error"), [(f"{DIARIZER}/1", "CorruptMedia"), (TAGGER, "MediaTooLong")]
)
def test_a_permanent_error_of_a_branch_is_quarantined_under_its_own_name(
    recordings: Recordings, where: str, error: str
) -> None:
    script = Script(windows=7, fails={where: error})

    refused = recordings.drop(script, f"refused/{error}.mp3", **BOTH)

    assert (refused.status, refused.error, refused.verdict) == ("FAILED", error, "QUARANTINED")
    reason = recordings.driver.reason(refused)
    assert (reason["error"], reason["message"]) == (error, f"{where} was told to fail")
    row = recordings.driver.record(reason["job"]["job_id"])
    assert (row["status"], row["error"]) == ("QUARANTINED", error)


@pytest.mark.parametrize("where", [f"{DIARIZER}/1", TAGGER])
def test_an_outage_fails_the_execution_uncaught_so_that_it_can_be_redriven(
    recordings: Recordings, where: str
) -> None:
    key = f"outage/{where.replace('/', '-')}.mp3"
    script = Script(windows=7, fails={where: "StoreUnavailable"})

    failed = recordings.drop(script, key, **BOTH)

    assert (failed.status, failed.error) == ("FAILED", "StoreUnavailable")
    assert "RecordFailure" not in recordings.driver.states_of(failed)
    assert recordings.calls(failed)[where] == 2  # a try and a retry


@pytest.mark.parametrize(
    ("where", "error"),
    [
        (f"{DIARIZER}/1", "StoreUnavailable"),
        (TAGGER, "StoreUnavailable"),
        (f"{DIARIZER}/0", "OutOfMemory"),
        (TAGGER, "MediaTooLong"),
    ],
)
def test_a_replay_makes_every_piece_of_every_branch_again_and_once(
    recordings: Recordings, site: Site, where: str, error: str
) -> None:
    """Pieces are kept by execution: none is another's, and none of an unfinished one is published.

    An uncaught failure is recorded by `record-failure`, after the execution has ended.
    """
    key = f"replayed/{where.replace('/', '-')}-{error}.mp3"
    script = Script(windows=7, fails={where: f"{UNTIL_REPLAYED}{error}"})
    failed = recordings.drop(script, key, **BOTH)
    wait_for_calm(recordings.driver.cloud, patience_s=PATIENCE_S)
    row = row_of(site, key)
    before = recordings.driver.keys("output", prefix=key.removesuffix(".mp3"))

    replayed = replay(site, Job(row, failed, failed), Changes())

    assert outcome(recordings.driver, site, replayed) == "DONE"
    assert (row.status in {"FAILED", "QUARANTINED"}, row.error, before) == (True, error, [])
    done = find_execution(site, replayed.started or "")
    assert done is not None
    pieces = {f"{SPEECH}/{index}" for index in range(7)} | {
        f"{DIARIZER}/0",
        f"{DIARIZER}/1",
        TAGGER,
    }
    calls = recordings.calls(done)
    assert {each: count for each, count in calls.items() if each in pieces} == dict.fromkeys(
        pieces, 1
    )
    assert done.arn != failed.arn
    assert recordings.record(key)["execution"] == done.arn
    assert row_of(site, key).status == "DONE"

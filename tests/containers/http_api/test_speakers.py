"""Speakers of a transcript are listed, and get names that no two people overwrite unseen."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any, Final

import pytest

from tests.containers.http_api.conftest import Answered, Ask
from tests.containers.http_api.finished import ADA, BOB, OUTPUT, Finished, prepare
from tests.containers.http_api.test_problems import require_problem

NONE: Final = '"none"'
ANNA: Final = {"SPEAKER_00": "Anna"}
_BROKEN: Final = (
    b"", b"[]", b"{}", b'{"names": []}', b'{"names": {"SPEAKER_00": 1}}', b"\xff", b"[" * 70_000
)  # fmt: skip


@pytest.fixture
def talk(tables: Any) -> Finished:
    return Finished(prepare(tables), tables).store()


def path(talk: Finished, of: str = "/speakers") -> str:
    return f"/jobs/{talk.job_id}{of}"


def read(ask: Ask, talk: Finished, user: Any = ADA) -> Answered:
    return ask("GET", path(talk), authorizer=user)


def write(
    ask: Ask, talk: Finished, names: Any, if_match: str | None = NONE, user: Any = ADA
) -> Answered:
    headers = {"content-type": "application/json"}
    headers |= {"if-match": if_match} if if_match else {}
    return ask("PUT", path(talk), authorizer=user, headers=headers, body=json.dumps(names))


def test_a_job_lists_its_speakers_and_tags(ask: Ask, tables: Any) -> None:
    tags = [{"label": "Speech", "score": 0.98}, {"label": "Music", "score": 0.4}]
    backwards = {"SPEAKER_01": 61.0, "SPEAKER_00": 128.5}
    talk = Finished(prepare(tables), tables, speakers=backwards, predictions=tags).store()

    told = ask("GET", path(talk, ""), authorizer=ADA).json

    assert told["state"] == "done"
    assert told["speakers"] == [
        {"speaker": "SPEAKER_00", "seconds": 128.5},
        {"speaker": "SPEAKER_01", "seconds": 61.0},
    ]
    assert told["tags"] == tags


def test_a_job_without_speakers_and_tags_has_no_such_fields(ask: Ask, tables: Any) -> None:
    talk = Finished(prepare(tables), tables, speakers=None).store()

    assert not ask("GET", path(talk, ""), authorizer=ADA).json.keys() & {"speakers", "tags"}


def test_speakers_have_no_names_at_first(ask: Ask, talk: Finished) -> None:
    answer = read(ask, talk)

    assert (answer.status, answer.json, answer.headers["etag"]) == (200, {}, NONE)


def test_names_are_kept_next_to_the_record(ask: Ask, talk: Finished) -> None:
    stored = write(ask, talk, {"SPEAKER_00": "  Anna ", "SPEAKER_01": ""})

    assert (stored.status, stored.json) == (200, ANNA)
    again = read(ask, talk)
    assert (again.json, again.headers["etag"]) == (ANNA, stored.headers["etag"])
    assert talk.names_file() == {"schema": 1, "job_id": talk.job_id, "names": ANNA}


def test_names_that_are_left_out_are_removed(ask: Ask, talk: Finished) -> None:
    first = write(ask, talk, {"SPEAKER_00": "Anna", "SPEAKER_01": "Ben"})
    second = write(ask, talk, {"SPEAKER_01": "Ben"}, first.headers["etag"])
    third = write(ask, talk, {}, second.headers["etag"])

    assert (second.json, third.json) == ({"SPEAKER_01": "Ben"}, {})
    assert read(ask, talk).json == {}


def test_the_second_of_two_editors_is_told(ask: Ask, talk: Finished) -> None:
    seen = read(ask, talk).headers["etag"]
    assert write(ask, talk, ANNA, seen).status == 200

    require_problem(write(ask, talk, {"SPEAKER_00": "Ben"}, seen), 412, "NamesChanged")
    assert read(ask, talk).json == ANNA

    seen = read(ask, talk).headers["etag"]
    assert write(ask, talk, {"SPEAKER_00": "Ben"}, seen).status == 200
    require_problem(write(ask, talk, ANNA, seen), 412, "NamesChanged")
    assert read(ask, talk).json == {"SPEAKER_00": "Ben"}


def test_a_version_that_a_proxy_made_weak_is_that_version(ask: Ask, talk: Finished) -> None:
    seen = write(ask, talk, ANNA).headers["etag"]

    assert write(ask, talk, {}, f"W/{seen}").status == 200


def test_names_are_not_replaced_blindly(ask: Ask, talk: Finished) -> None:
    require_problem(write(ask, talk, ANNA, None), 428, "IfMatchMissing")
    assert talk.names_file() is None


@pytest.mark.parametrize("said", ["*", "none", '"a", "b"', '"../x"', '""', '"none"\n'])
def test_what_is_no_version_is_refused(ask: Ask, talk: Finished, said: str) -> None:
    require_problem(write(ask, talk, ANNA, said), 422, "InvalidRequest")
    assert talk.names_file() is None


@pytest.mark.parametrize(
    ("names", "field"),
    [
        ({"SPEAKER_07": "Anna"}, "body.SPEAKER_07"),
        ({"": "Anna"}, "body."),
        ({"SPEAKER_00": "A" * 81}, "body.SPEAKER_00"),
        ({"SPEAKER_00": "An\nna"}, "body.SPEAKER_00"),
        ({"SPEAKER_00": "An\x00na"}, "body.SPEAKER_00"),
        ({"SPEAKER_00": "An\x7fna"}, "body.SPEAKER_00"),
        ({"SPEAKER_00": "An\u2028na"}, "body.SPEAKER_00"),
        ({"SPEAKER_00": "\u202eannA"}, "body.SPEAKER_00"),
        ({"SPEAKER_00": "\u200b\ufeff"}, "body.SPEAKER_00"),
        ({"SPEAKER_00": "\u200f"}, "body.SPEAKER_00"),
        ({"SPEAKER_00": "\ud800"}, "body"),
        ({"\udfff": "Anna"}, "body"),
        ({"SPEAKER_00": None}, "body.SPEAKER_00"),
        ({"SPEAKER_00": 7}, "body.SPEAKER_00"),
        ({"SPEAKER_00": ["Anna"]}, "body.SPEAKER_00"),
        ({f"SPEAKER_{number:02}": "" for number in range(21)}, "body"),
        ({"x" * 5000: "Anna"}, f"body.{'x' * 100}"),
        ({"x" * 5000: None}, f"body.{'x' * 100}"),
        ([], "body"),
        ("Anna", "body"),
        (None, "body"),
    ],
)
def test_names_that_are_none_are_refused(ask: Ask, talk: Finished, names: Any, field: str) -> None:
    answer = write(ask, talk, names)

    require_problem(answer, 422, "InvalidRequest")
    assert {each["field"] for each in answer.json["errors"]} == {field}
    assert len(answer.text) < 10_000
    assert talk.names_file() is None


@pytest.mark.parametrize("name", ["A" * 80, "Ána-María O'Neill", "محمد", "김철수", "<b>", "👩‍🔬"])
def test_names_of_all_kinds_are_taken(ask: Ask, talk: Finished, name: str) -> None:
    assert write(ask, talk, {"SPEAKER_00": name}).json == {"SPEAKER_00": name}
    assert read(ask, talk).json == {"SPEAKER_00": name}


def test_nobody_else_reads_or_gives_names(ask: Ask, talk: Finished) -> None:
    write(ask, talk, ANNA)

    require_problem(read(ask, talk, BOB), 404, "NoSuchJob")
    require_problem(write(ask, talk, {}, user=BOB), 404, "NoSuchJob")
    assert read(ask, talk).json == ANNA


def test_another_jobs_names_are_not_shown_but_replaced(ask: Ask, talk: Finished) -> None:
    write(ask, talk, ANNA)
    other = replace(talk, job_id="2" * 64).store()

    found = read(ask, other)

    assert found.json == {}
    require_problem(write(ask, other, {"SPEAKER_00": "Ben"}), 412, "NamesChanged")
    stored = write(ask, other, {"SPEAKER_00": "Ben"}, found.headers["etag"])
    assert (stored.status, read(ask, other).json) == (200, {"SPEAKER_00": "Ben"})
    require_problem(read(ask, talk), 404, "NoSpeakers")


def test_names_of_speakers_that_there_are_no_more_are_left_out(ask: Ask, talk: Finished) -> None:
    write(ask, talk, {"SPEAKER_00": "Anna", "SPEAKER_01": "Ben"})
    talk.write_record(speakers={"SPEAKER_00": 180.0})

    assert read(ask, talk).json == ANNA


@pytest.mark.parametrize("content", _BROKEN)
def test_a_file_that_is_broken_names_nobody(ask: Ask, talk: Finished, content: bytes) -> None:
    owned = content.replace(b"{", b'{"job_id": "' + talk.job_id.encode() + b'", ', 1)
    talk.s3.put_object(Bucket=OUTPUT, Key=talk.names_key, Body=owned)

    found = read(ask, talk)

    assert (found.status, found.json) == (200, {})
    assert write(ask, talk, ANNA, found.headers["etag"]).status == 200


@pytest.mark.parametrize("status", ["RUNNING", "FAILED", "QUARANTINED", "DELETED"])
def test_a_job_that_is_not_done_has_no_speakers(ask: Ask, talk: Finished, status: str) -> None:
    with_execution = {"execution": talk.row["execution"]}
    talk.write_row(status=status, error="JobStopped", **with_execution)

    require_problem(read(ask, talk), 404, "NoSpeakers")
    require_problem(write(ask, talk, ANNA), 404, "NoSpeakers")


def test_a_transcript_without_diarization_has_no_speakers(ask: Ask, tables: Any) -> None:
    talk = Finished(prepare(tables), tables, speakers=None).store()

    require_problem(read(ask, talk), 404, "NoSpeakers")
    require_problem(write(ask, talk, ANNA), 404, "NoSpeakers")


def test_a_recording_in_which_nobody_speaks_has_no_names(ask: Ask, tables: Any) -> None:
    talk = Finished(prepare(tables), tables, speakers={}).store()

    assert read(ask, talk).json == {}
    require_problem(write(ask, talk, ANNA), 422, "InvalidRequest")


def test_names_are_deleted_with_the_results(ask: Ask, talk: Finished) -> None:
    write(ask, talk, ANNA)

    assert delete(ask, talk).json["state"] == "deleted"
    assert talk.names_file() is None
    require_problem(read(ask, talk), 404, "NoSpeakers")


def test_another_jobs_names_outlive_the_deletion(ask: Ask, talk: Finished) -> None:
    other = replace(talk, job_id="2" * 64).store()
    seen = read(ask, other).headers["etag"]
    write(ask, other, ANNA, seen)
    talk.write_record(job_id=other.job_id)

    assert delete(ask, talk).json["state"] == "deleted"
    assert read(ask, other).json == ANNA


def test_names_are_not_left_by_a_deletion_at_the_same_moment(
    ask: Ask, talk: Finished, monkeypatch: pytest.MonkeyPatch
) -> None:
    from pipeline.operations import speaker_names

    writes = speaker_names.write_names

    def late(*given: Any, **more: Any) -> str:
        talk.write_row(status="DELETED")
        return writes(*given, **more)

    monkeypatch.setattr(speaker_names, "write_names", late)

    require_problem(write(ask, talk, ANNA), 404, "NoSpeakers")
    assert talk.names_file() is None


def delete(ask: Ask, talk: Finished) -> Answered:
    return ask(
        "DELETE",
        path(talk, ""),
        authorizer=ADA,
        rawQueryString="results=true",
        queryStringParameters={"results": "true"},
    )

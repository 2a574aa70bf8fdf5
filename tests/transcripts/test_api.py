"""Recordings through the HTTP API: one upload is one job, whatever its name says."""

from __future__ import annotations

import json
from typing import Any, Final

import pytest
import urllib3

from tests.execution.api import User, done, prefix_of, send, wait_for
from tests.execution.driver import Driver
from tests.transcripts.stubs.script import Script

KINDS: Final = {"transcript", "srt", "vtt", "text", "denoised"}


@pytest.fixture
def ada(driver: Driver, request: pytest.FixtureRequest) -> User:
    return User(driver.cloud.api, request.node.nodeid)


def recording(**script: Any) -> bytes:
    return Script(padding=json.dumps(script, sort_keys=True), **script).recording()


def listed(user: User) -> list[dict[str, Any]]:
    jobs: list[dict[str, Any]] = user.ask("GET", "/jobs").json()["jobs"]
    return jobs


def test_a_recording_has_a_file_of_each_kind_at_an_address(ada: User) -> None:
    job = done(ada, recording(windows=2), name="talk.wav", options={"denoise": True})

    assert (job["state"], job["product"]) == ("done", "transcript")
    assert {each["kind"] for each in job["results"]} == KINDS
    for each in job["results"]:
        got = urllib3.request("GET", each["url"])
        assert (got.status, len(got.data)) == (200, each["bytes"])
        assert got.headers["content-type"] == each["media_type"]
    record = urllib3.request("GET", job["record"]["url"]).json()
    assert {"recording", "languages", "words", "remarks"} <= record.keys()  # the page reads them
    assert record["recording"]["duration_s"] > 0


def test_speakers_and_sounds_are_told_and_speakers_get_names(driver: Driver, ada: User) -> None:
    content = recording(windows=2)
    job = done(ada, content, name="talk.wav", options={"diarize": True, "tags": True})

    assert {each["kind"] for each in job["results"]} >= {"speakers", "tags"}
    assert [each["speaker"] for each in job["speakers"]][:2] == ["SPEAKER_00", "SPEAKER_01"]
    assert 0 < len(job["tags"]) <= 10
    assert job["tags"][0].keys() == {"label", "score"}

    address = f"/jobs/{job['id']}"
    seen = ada.ask("GET", f"{address}/speakers")
    etag = seen.headers["etag"]
    named = ada.ask("PUT", f"{address}/speakers", body={"SPEAKER_01": "Anna"}, if_match=etag)
    assert (seen.json(), named.json()) == ({}, {"SPEAKER_01": "Anna"})
    assert ada.ask("GET", f"{address}/speakers").json() == {"SPEAKER_01": "Anna"}

    source = ada.ask("GET", f"{address}/source").json()
    part = urllib3.request("GET", source["url"], headers={"range": "bytes=0-3"})
    assert (part.status, part.data) == (206, content[:4])
    assert part.headers["content-type"] == source["media_type"] == "audio/flac"
    assert part.headers["content-disposition"] == "inline"

    assert ada.ask("DELETE", f"{address}?results=true").status == 200
    assert driver.keys("output", prefix=job["key"].rpartition("/")[0]) == []


def test_an_option_of_speakers_without_diarization_is_refused(ada: User) -> None:
    form = {"name": "talk.wav", "bytes": 9, "options": {"speakers": 2}}

    told = ada.ask("POST", "/uploads", body=form)

    assert told.status == 422
    assert [each["field"] for each in told.json()["errors"]] == ["body.options.speakers"]


@pytest.mark.parametrize("name", ["talk.jpg", "talk"])
def test_what_is_handed_over_is_one_job(ada: User, name: str) -> None:
    job = done(ada, recording(windows=1), name=name)

    assert (job["state"], job["product"]) == ("done", "transcript")
    assert [(each["product"], each["state"]) for each in listed(ada)] == [("transcript", "done")]
    for other in (job["job"], job["execution"]):
        followed = wait_for(ada, other, "done")
        assert (followed["job"], followed["product"]) == (job["job"], "transcript")


def test_a_job_of_the_wrong_product_is_followed_to_the_right_one(ada: User) -> None:
    content = recording(windows=1)
    form = ada.upload(name="talk.wav", bytes=len(content))
    assert send(form, content).status == 201
    wait_for(ada, form["id"], "done")

    asked = {"key": form["key"], "product": "cutout", "force": True}
    started = ada.ask("POST", "/jobs", body=asked).json()

    ended = wait_for(ada, started["id"], "done")
    assert ended["product"] == "transcript"


def test_it_is_refused_replayed_and_counted_like_a_photo(ada: User) -> None:
    content = recording(windows=1)
    refused = done(ada, b"%PDF-1.7", name="scan.mp3")
    job = done(ada, content, name="talk.mp3")
    again = ada.ask("POST", f"/jobs/{job['job']}/replay", body={"force": True}).json()
    batch = ada.ask("POST", "/batches", body={"keys": [job["key"], refused["key"]]})
    quotas = {each["name"]: each for each in ada.ask("GET", "/quotas").json()["quotas"]}

    assert (refused["state"], refused["error"]["name"]) == ("quarantined", "UnsupportedMedia")
    assert "recording" in refused["error"]["hint"]
    assert wait_for(ada, again["id"], "done")["product"] == "transcript"
    assert (batch.status, batch.json()["product"]) == (202, "transcript")
    assert quotas["upload_bytes"]["limit"] - quotas["upload_bytes"]["left"] == len(content) + 8
    mixed = {"keys": [f"{prefix_of(ada)}a.mp3", f"{prefix_of(ada)}a.jpg"]}
    assert ada.ask("POST", "/batches", body=mixed).status == 422

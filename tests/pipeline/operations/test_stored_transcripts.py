"""Transcripts are read one at a time; what is none is named, and read no further than a limit."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from moto import mock_aws

from pipeline.operations import stored_transcripts
from pipeline.operations.phrases import SaidWord
from pipeline.operations.stored_transcripts import (
    NotATranscript,
    stored_file,
    transcripts_in_bucket,
    transcripts_in_folder,
)

WORD = {"word": "Ask", "start": 1.5, "end": 1.9, "score": 0.9, "speaker": None, "aligned": True}
DOCUMENT = {"language": "en", "segments": [], "word_segments": [WORD]}


@pytest.fixture
def s3(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    with mock_aws():
        client = boto3.client("s3")
        client.create_bucket(Bucket="results")
        yield client


def written(path: Path, content: object = DOCUMENT) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content if isinstance(content, str) else json.dumps(content))
    return path


def test_a_folder_is_read_with_all_folders_below_it(tmp_path: Path) -> None:
    for name in ("b/x_transcript.json", "a_transcript.json", "b/c/y_transcript.json"):
        written(tmp_path / name)
    for name in ("a_transcript.record.json", "a_transcript.srt", "a.json", "a_transcript.json.bak"):
        written(tmp_path / name)
    (tmp_path / "folder_transcript.json").mkdir()

    found = list(transcripts_in_folder(tmp_path))

    assert [each.name.removeprefix(f"{tmp_path}/") for each in found] == [
        "a_transcript.json",
        "b/c/y_transcript.json",
        "b/x_transcript.json",
    ]
    assert {each.words() for each in found} == {(SaidWord("Ask", 1.5, None),)}


def test_a_bucket_is_read_below_a_prefix_past_its_first_page(s3: Any) -> None:
    for at in range(1_001):
        s3.put_object(Bucket="results", Key=f"talks/{at:04}.srt", Body=b"")
    body = json.dumps(DOCUMENT).encode()
    for key in ("talks/x_transcript.json", "talks/z/y_transcript.json", "other/a_transcript.json"):
        s3.put_object(Bucket="results", Key=key, Body=body)

    found = list(transcripts_in_bucket(s3, "results", "talks/"))

    assert [each.name for each in found] == [
        "s3://results/talks/x_transcript.json",
        "s3://results/talks/z/y_transcript.json",
    ]
    assert found[0].words() == (SaidWord("Ask", 1.5, None),)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ("not JSON", "Invalid JSON"),
        ("[]", "should be an object|valid dictionary|instance of _Document"),
        ({"segments": []}, "word_segments: Field required"),
        ({"word_segments": [{"word": "Ask"}]}, "word_segments.0.start: Field required"),
        ({"word_segments": [WORD | {"start": -1}]}, "word_segments.0.start"),
        ({"word_segments": [WORD | {"start": float("nan")}]}, "word_segments.0.start"),
        ({"word_segments": [WORD | {"word": 7}]}, "word_segments.0.word"),
        ("[" * 10_000, "not a transcript in JSON"),
    ],
)
def test_what_is_no_transcript_is_named(tmp_path: Path, content: object, reason: str) -> None:
    stored = stored_file(written(tmp_path / "x_transcript.json", content))

    with pytest.raises(NotATranscript, match=reason):
        stored.words()


def test_more_bytes_than_a_transcript_has_are_not_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stored_transcripts, "MOST_BYTES", 100)
    stored = stored_file(written(tmp_path / "x_transcript.json"))

    with pytest.raises(NotATranscript, match="at most 100 are read"):
        stored.words()


def test_a_file_that_may_not_be_read_is_named(tmp_path: Path) -> None:
    stored = stored_file(written(tmp_path / "x_transcript.json"))
    (tmp_path / "x_transcript.json").unlink()

    with pytest.raises(NotATranscript, match="it cannot be read: No such file"):
        stored.words()


def test_an_object_that_is_deleted_meanwhile_is_named(s3: Any) -> None:
    s3.put_object(Bucket="results", Key="x_transcript.json", Body=b"{}")
    (stored,) = transcripts_in_bucket(s3, "results", "")
    s3.delete_object(Bucket="results", Key="x_transcript.json")

    with pytest.raises(NotATranscript, match="deleted"):
        stored.words()


def test_an_archived_object_is_named(s3: Any) -> None:
    s3.put_object(
        Bucket="results", Key="x_transcript.json", Body=b"{}", StorageClass="DEEP_ARCHIVE"
    )
    (stored,) = transcripts_in_bucket(s3, "results", "")

    with pytest.raises(NotATranscript, match="archive"):
        stored.words()


@pytest.mark.parametrize(
    ("field", "value", "problem"),
    [
        ("start", 1e308, "less than or equal to 1000000"),
        ("word", "a" * 4_001, "at most 4000 characters"),
        ("word", "a" + "\u0301\u0316" * 10_000, "at most 4000 characters"),
    ],
)
def test_a_word_that_no_transcript_has_is_no_word(
    tmp_path: Path, field: str, value: object, problem: str
) -> None:
    """Its time could not be printed, or it would take hours to compare."""
    hostile = written(tmp_path / "x_transcript.json", {"word_segments": [{**WORD, field: value}]})

    with pytest.raises(NotATranscript, match=rf"word_segments\.0\.{field}: .*{problem}"):
        stored_file(hostile).words()

"""`matteline transcripts grep` prints where something is said, as grep prints lines."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from pipeline.cli.transcripts import transcripts
from pipeline.declared.names import LOCAL_NAMES
from pipeline.operations.site import Site

A, B = "SPEAKER_00", "SPEAKER_01"
SPOKEN = (
    ("And", 0.16, A), ("so,", 0.6, A), ("my", 0.9, A), ("fellow", 1.1, A), ("Américans:", 1.4, A),
    ("ask", 83.46, B), ("not", 84.0, B), ("what", 3_723.99, None),
)  # fmt: skip


def document(*words: tuple[str, float, str | None]) -> str:
    listed = [
        {"word": word, "start": start, "end": start + 0.2, "score": 1.0, "speaker": speaker,
         "aligned": True}
        for word, start, speaker in words
    ]  # fmt: skip
    return json.dumps({"language": "en", "segments": [], "word_segments": listed})


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "talk_transcript.json").write_text(document(*SPOKEN))
    return tmp_path / "out"


def typed(*words: str) -> Result:
    return CliRunner().invoke(transcripts, ["grep", *words])


def test_a_line_has_the_file_the_time_the_speaker_and_the_words_around(folder: Path) -> None:
    del folder

    result = typed("Ask", "out", "--context", "2")

    assert (result.exit_code, result.output) == (
        0,
        "out/talk_transcript.json  00:01:23.4  SPEAKER_01  …fellow Américans: ask not what\n",
    )


@pytest.mark.parametrize(
    ("words", "line"),
    [
        (
            ["fellow americans ask"],
            "00:00:01.1  SPEAKER_00  And so, my fellow Américans: ask not what",
        ),
        (["WHAT", "--context", "1"], "01:02:03.9  -  …not what"),
        (["so", "--context", "0"], "00:00:00.6  SPEAKER_00  …so,…"),
        (["not", "--speaker", B, "--context", "0"], "00:01:24.0  SPEAKER_01  …not…"),
    ],
)
def test_phrases_cross_segments_and_speakers(folder: Path, words: list[str], line: str) -> None:
    result = typed(words[0], str(folder), *words[1:])

    assert result.output == f"{folder}/talk_transcript.json  {line}\n"


@pytest.mark.parametrize("words", [["roof"], ["ask", "--speaker", A], ["ask", "--speaker", "S"]])
def test_exit_code_1_if_nothing_is_found(folder: Path, words: list[str]) -> None:
    result = typed(words[0], str(folder), *words[1:])

    assert (result.exit_code, result.output) == (1, "")


def test_one_file_may_be_named(folder: Path) -> None:
    (folder / "other_transcript.json").write_text(document(("ask", 1.0, None)))

    assert typed("ask", str(folder / "talk_transcript.json")).output.count("\n") == 1
    assert typed("ask", str(folder)).output.count("\n") == 2


def test_what_is_no_transcript_is_skipped_by_name_and_the_others_are_read(folder: Path) -> None:
    (folder / "a_transcript.json").write_text('{"language": "en"}')

    result = typed("ask", str(folder))

    assert result.exit_code == 0
    assert result.stdout.startswith(f"{folder}/talk_transcript.json  00:01:23.4")
    assert result.stderr == (
        f"skipped {folder}/a_transcript.json: it is not a transcript in JSON: "
        "word_segments: Field required\n"
    )


def test_a_transcript_cannot_steer_the_terminal(folder: Path) -> None:
    (folder / "talk_transcript.json").write_text(
        document(("ask", 1.0, "\x1b[2J"), ("\x1b]0;x\x07\u202enot\n", 2.0, None))
    )

    result = typed("ask", str(folder))

    assert result.output == f"{folder}/talk_transcript.json  00:00:01.0   [2J  ask  ]0;x  not \n"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["ask", "nowhere"], "nowhere does not exist"),
        (["?!", "."], "'?!' has neither letters nor digits"),
        (["ask", "s3://"], "s3:// names no bucket"),
        (["ask", "s3:///talks"], "s3:///talks names no bucket"),
    ],
)
def test_what_cannot_be_searched_is_said(words: list[str], said: str) -> None:
    result = typed(*words)

    assert (result.exit_code, said in result.output) == (2, True), result.output


@pytest.fixture
def bucket(site: Site, monkeypatch: pytest.MonkeyPatch) -> Any:
    """The output bucket of the site that the command reaches, with one transcript."""
    monkeypatch.setattr("pipeline.cli.site.local_site", lambda *_: site)
    name = LOCAL_NAMES.bucket("output")
    site.client("s3").create_bucket(Bucket=name)
    site.client("s3").put_object(
        Bucket=name, Key="talks/talk_transcript.json", Body=document(*SPOKEN).encode()
    )
    return name


@pytest.mark.parametrize("place", [[], ["s3://{}"], ["s3://{}/talks/"], ["s3://{}/talks/ta"]])
def test_a_bucket_is_searched_and_without_a_place_that_of_the_stage(
    bucket: str, place: list[str]
) -> None:
    result = typed("ask", *(each.format(bucket) for each in place), "--context", "0")

    assert (result.exit_code, result.output) == (
        0,
        f"s3://{bucket}/talks/talk_transcript.json  00:01:23.4  SPEAKER_01  …ask…\n",
    )


def test_another_prefix_and_another_bucket_are_not_searched(bucket: str) -> None:
    assert typed("ask", f"s3://{bucket}/photos/").exit_code == 1
    missing = typed("ask", "s3://no-such-bucket-of-ours")
    assert (missing.exit_code, "NoSuchBucket" in missing.output) == (1, True), missing.output


def test_a_folder_is_searched_without_aws(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def unreached(*_: object) -> Site:
        raise AssertionError("a folder needs no site")

    monkeypatch.setattr("pipeline.cli.site.local_site", unreached)
    monkeypatch.setattr("pipeline.cli.site.aws_site", unreached)

    assert typed("ask", str(folder), "--stage", "dev").exit_code == 0

"""Golden events: inputs written, placeholders filled in, answers compared."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from pipeline.golden import VERSION_HEADER, Golden, Row, Run, claimed_version

RECORDING = b"RIFF....WAVEfmt "
SHA256 = hashlib.sha256(RECORDING).hexdigest()
RUN = Run("scratch", "smoke/d-1/listener", models_bucket="models")
HEARER = Row("hearer", "speech", weights_key="hearer/0123/manifest.json")
HOSTED = Row("hosted", "remote", weights_key=None)

Prepare = Callable[..., Golden]


@pytest.fixture
def written() -> dict[str, bytes]:
    return {}


@pytest.fixture
def prepare(tmp_path: Path, written: dict[str, bytes]) -> Prepare:
    """The event of a container with a recording, a list of words and this `golden.toml`."""
    folder = tmp_path / "golden"
    folder.mkdir()
    (folder / "speech.wav").write_bytes(RECORDING)
    (folder / "words.json").write_text("[]")

    def write(bucket: str, key: str, content: bytes) -> str:
        written[f"{bucket}/{key}"] = content
        return "etag-1"

    def prepared(text: str, *, row: Row | None = None) -> Golden:
        (folder / "golden.toml").write_text(text)
        run = Run(RUN.work_bucket, RUN.work_prefix, RUN.models_bucket, row)
        return Golden.prepare(tmp_path, run, write)

    return prepared


def problems(
    prepare: Prepare, text: str, result: dict[str, Any], **objects: bytes | None
) -> list[str]:
    checks = prepare(f"[expect]\n{text}").checks(result, lambda uri: objects.get(uri[5:]))
    return [check.problem for check in checks if check.problem]


def test_input_files_of_any_kind_are_written_where_the_job_may_read_them(
    prepare: Prepare, written: dict[str, bytes]
) -> None:
    prepare("")

    assert written == {
        "scratch/smoke/d-1/listener/golden/speech.wav": RECORDING,
        "scratch/smoke/d-1/listener/golden/words.json": b"[]",
    }


def test_an_input_in_a_subfolder_keeps_its_path(
    tmp_path: Path, prepare: Prepare, written: dict[str, bytes]
) -> None:
    (tmp_path / "golden" / "windows").mkdir()
    (tmp_path / "golden" / "windows" / "0000.json").write_bytes(b"{}")

    golden = prepare('[payload]\nwindow = "${windows/0000.json:key}"')

    assert golden.payload == {"window": "smoke/d-1/listener/golden/windows/0000.json"}
    assert written["scratch/smoke/d-1/listener/golden/windows/0000.json"] == b"{}"


def test_a_job_refers_to_its_input_files_by_name(prepare: Prepare) -> None:
    golden = prepare("""
        [payload]
        words = "${words.json:artifact}"
        source.bucket = "${speech.wav:bucket}"
        source.key = "${speech.wav:key}"
        source.version_id = "${speech.wav:version_id}"
        source.etag = "${speech.wav:etag}"
        source.sha256 = "${speech.wav:sha256}"
        source.bytes = "${speech.wav:bytes}"
    """)

    assert golden.payload == {
        "words": {
            "uri": "s3://scratch/smoke/d-1/listener/golden/words.json",
            "sha256": hashlib.sha256(b"[]").hexdigest(),
            "bytes": 2,
        },
        "source": {
            "bucket": "scratch",
            "key": "smoke/d-1/listener/golden/speech.wav",
            "version_id": None,
            "etag": "etag-1",
            "sha256": SHA256,
            "bytes": len(RECORDING),
        },
    }


def test_a_placeholder_alone_keeps_its_type_and_within_text_becomes_text(prepare: Prepare) -> None:
    golden = prepare(
        'payload = { key = "${row:weights_key}", text = "in ${work_bucket}: ${row:weights_key}", '
        'list = ["${speech.wav:bytes}"], number = 1 }',
        row=HOSTED,
    )

    assert golden.payload == {"key": None, "text": "in scratch: None", "list": [16], "number": 1}


@pytest.mark.parametrize(
    "placeholder", ["${nowhere}", "${silence.wav:key}", "${speech.wav:width}", "${row:name}"]
)
def test_a_placeholder_that_stands_for_nothing_stops_the_test(
    prepare: Prepare, placeholder: str
) -> None:
    with pytest.raises((KeyError, AttributeError)):
        prepare(f'payload.value = "{placeholder}"')


VARIANTS = """
payload = { prompts = [], options = { fast = true, loud = true } }
untried.WeightsNotStaged = "not staged"

[[variants]]
where = { name = "hearer", engine = "speech" }
payload = { prompts = ["listen"], options = { loud = false } }
expect.words = 2

[[variants]]
unless = { name = "hearer" }
untried.NoSpeech = "unknown"
"""


def test_a_variant_changes_the_event_for_the_rows_that_it_names(prepare: Prepare) -> None:
    hearer, hosted = prepare(VARIANTS, row=HEARER), prepare(VARIANTS, row=HOSTED)

    assert hearer.payload == {"prompts": ["listen"], "options": {"fast": True, "loud": False}}
    assert hosted.payload == {"prompts": [], "options": {"fast": True, "loud": True}}
    assert (hearer.expect, hosted.expect) == ({"words": 2}, {})
    assert hearer.untried == {"WeightsNotStaged": "not staged"}
    assert hosted.untried == {"WeightsNotStaged": "not staged", "NoSpeech": "unknown"}


def test_a_variant_for_a_field_that_rows_lack_stops_the_test(prepare: Prepare) -> None:
    with pytest.raises(AttributeError, match="colour"):
        prepare('[[variants]]\nwhere = { colour = "red" }', row=HEARER)


@pytest.mark.parametrize(
    ("text", "result", "problem"),
    [
        ("a = 1", {"a": 1, "b": 2}, None),
        ("a = 1", {"a": 2}, "a is 2, not 1"),
        ("a = 1", {}, "a is None, not 1"),
        ("a.b = 1", {"a": 3}, "a.b is None, not 1"),
        ("a = [{ b = 1 }]", {"a": [{"b": 1, "c": 2}]}, None),
        ("a = [{ b = 1 }]", {"a": [{"b": 2}]}, "a.0.b is 2, not 1"),
        ("a = [{ b = 1 }]", {"a": []}, "a is [], not [{'b': 1}]"),
        ("a = [1]", {"a": [1, 2]}, "a is [1, 2], not [1]"),
        ('a = "${speech.wav:sha256}"', {"a": SHA256}, None),
        ("a = { between = [0.1, 0.2] }", {"a": 0.1}, None),
        ("a = { between = [0.1, 0.2] }", {"a": 0.2}, None),
        ("a = { between = [0.1, 0.2] }", {"a": 0.21}, "a is 0.21, not between 0.1 and 0.2"),
        ("a = { between = [0.1, 0.2] }", {"a": "0.1"}, "a is '0.1', not between 0.1 and 0.2"),
        ("a = { between = [0.1, 0.2] }", {}, "a is None, not between 0.1 and 0.2"),
    ],
)
def test_a_result_is_compared_with_the_expected_fields(
    prepare: Prepare, text: str, result: dict[str, Any], problem: str | None
) -> None:
    assert problems(prepare, text, result) == ([problem] if problem else [])


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b'{"words": ["hello"]}', None),
        (b'{"words": ["goodbye"]}', "a.json.words.0 is 'goodbye', not 'hello'"),
        (b"not json", "a.json.words is None, not ['hello']"),
    ],
)
def test_the_json_of_an_artifact_is_compared(
    prepare: Prepare, content: bytes, problem: str | None
) -> None:
    sha256 = hashlib.sha256(content).hexdigest()
    result = {"a": {"uri": "s3://it", "sha256": sha256, "bytes": len(content)}}

    found = problems(prepare, 'a.json.words = ["hello"]', result, it=content)

    assert found == ([problem] if problem else [])


@pytest.mark.parametrize("missing", [{}, {"a": None}, {"a": {}}, {"a": "s3://it"}])
def test_an_artifact_that_is_missing_has_no_json(prepare: Prepare, missing: dict[str, Any]) -> None:
    assert problems(prepare, "a.json.words = 1", missing) == ["a.json.words is None, not 1"]


@pytest.mark.parametrize(
    ("stored", "problem"),
    [
        (RECORDING, None),
        (None, "a.0.b names s3://it, which does not exist"),
        (b"RIFF", f"s3://it has 4 bytes with SHA-256 {hashlib.sha256(b'RIFF').hexdigest()}, not "),
    ],
)
def test_every_artifact_of_a_result_must_be_what_it_says(
    prepare: Prepare, stored: bytes | None, problem: str | None
) -> None:
    artifact = {"uri": "s3://it", "sha256": SHA256, "bytes": len(RECORDING)}

    found = problems(prepare, "", {"a": [{"b": artifact}]}, it=stored)

    assert len(found) == (problem is not None)
    assert "".join(found).startswith(problem or "")


def test_what_was_compared_is_told_with_its_values(prepare: Prepare) -> None:
    golden = prepare("expect.a = { between = [1, 3] }")

    assert [check[:2] for check in golden.checks({"a": 2}, lambda _: None)] == [("a", 2)]
    assert json.dumps([*golden.checks({"a": 2}, lambda _: None)]) == '[["a", 2, ""]]'


@pytest.mark.parametrize(
    ("body", "problem"),
    [
        ('{"kinds": ["animals"]}', []),
        ('{"kinds": []}', ["body.json.kinds is [], not ['animals']"]),
        ("not JSON", ["body.json.kinds is None, not ['animals']"]),
        (None, ["body.json.kinds is None, not ['animals']"]),
    ],
)
def test_the_json_in_a_text_may_be_described(
    prepare: Prepare, body: str | None, problem: list[str]
) -> None:
    expected = 'body = { json = { kinds = ["animals"] } }'

    assert problems(prepare, expected, {"statusCode": 200, "body": body}) == problem


@pytest.mark.parametrize(
    ("result", "claim"),
    [
        ({"provenance": {"container": "hearer", "version": "1.2.0"}}, "hearer/1.2.0"),
        ({"headers": {VERSION_HEADER: "teller/1.2.0"}}, "teller/1.2.0"),
        ({"provenance": None, "headers": None}, "nothing"),
        ({}, "nothing"),
    ],
)
def test_a_result_or_an_answer_says_which_version_made_it(
    result: dict[str, Any], claim: str
) -> None:
    assert claimed_version(result) == claim


def test_json_input_files_may_name_other_files(
    prepare: Prepare, written: dict[str, bytes], tmp_path: Path
) -> None:
    (tmp_path / "golden" / "plan.json").write_text('{"audio": "${speech.wav:artifact}"}')

    golden = prepare('[payload]\nplan = "${plan.json:sha256}"')

    plan = written["scratch/smoke/d-1/listener/golden/plan.json"]
    uri = "s3://scratch/smoke/d-1/listener/golden/speech.wav"
    assert json.loads(plan) == {"audio": {"uri": uri, "sha256": SHA256, "bytes": len(RECORDING)}}
    assert golden.payload["plan"] == hashlib.sha256(plan).hexdigest()

"""A product that is added as files runs on the local cloud, next to the one that was there."""

from __future__ import annotations

import json
import re

import pytest

from tests.pipeline.cli.terminal import Terminal


def upload(terminal: Terminal, name: str, *, key: str = "", metadata: str = "") -> str:
    """Copy a file to the ingest bucket; return the key of its upload."""
    aws = terminal.command("aws").split(" s3 ")[0]
    key = key or name
    more = f" --metadata {metadata}" if metadata else ""
    terminal.type(f"{aws} s3 cp {name} s3://matteline-local-ingest/{key}{more}")
    return key


def output(terminal: Terminal, key: str) -> str:
    aws = terminal.command("aws").split(" s3 ")[0]
    return terminal.type(f"{aws} s3 cp s3://matteline-local-output/{key} -")


def verb(terminal: Terminal, words: str) -> str:
    return terminal.type(f"python -m pipeline {words} --endpoint-url {terminal.endpoint}")


@pytest.fixture(scope="module", autouse=True)
def uploads(terminal: Terminal) -> None:
    upload(terminal, "note.memo")
    upload(terminal, "note.memo", key="thirsty.memo", metadata="matteline-model=drinks")
    upload(terminal, "cat.jpg")
    upload(terminal, "bad.memo")
    for key in ("note.memo", "thirsty.memo", "cat.jpg"):
        terminal.wait_for(f"DONE        {key}")
    terminal.wait_for("QUARANTINED bad.memo")


def test_an_upload_goes_through_the_machine_its_name_asks_for(terminal: Terminal) -> None:
    assert output(terminal, "note_memo.txt").split() == ["cat", "elephant"]
    assert json.loads(output(terminal, "note_memo.json"))["product"] == "memo"
    assert json.loads(output(terminal, "cat_bg_removed.json"))["product"] == "cutout"


def test_an_option_chooses_another_row_of_the_container(terminal: Terminal) -> None:
    assert output(terminal, "thirsty_memo.txt").split() == ["lemonade"]


def test_a_bad_memo_is_quarantined_with_its_reason(terminal: Terminal) -> None:
    listed = verb(terminal, "quarantine list")

    assert "bad.memo" in listed
    assert "CorruptMedia" in listed


def test_jobs_are_listed_by_product_shown_and_run_again(terminal: Terminal) -> None:
    memos = verb(terminal, "jobs list --product memo --status DONE")
    job_id = re.findall(r"[0-9a-f]{32}", memos)[0]

    assert "note.memo" in memos
    assert "cat.jpg" not in memos
    assert "cat.jpg" in verb(terminal, "jobs list")
    assert "ReadMemo" in verb(terminal, f"jobs show {job_id}")
    assert "started again as replay-" in verb(terminal, f"jobs replay {job_id} --force")
    terminal.wait_for("_memo.json", times=3)


def test_a_container_that_serves_http_answers(terminal: Terminal) -> None:
    aws = terminal.command("aws").split(" s3 ")[0]
    request = '\'{"rawPath": "/kinds"}\''
    function = "--function-name matteline-local-memo-server --payload"
    terminal.type(f"{aws} lambda invoke {function} {request} answer.json")

    answer = json.loads((terminal.folder / "answer.json").read_text())
    assert json.loads(answer["body"]) == {"kinds": ["animals", "drinks"]}
    assert answer["headers"]["matteline-version"] == "memo-server/0.1.0"


def test_a_list_that_was_deleted_is_made_again_and_one_that_is_there_is_not(
    terminal: Terminal,
) -> None:
    aws = terminal.command("aws").split(" s3 ")[0]
    terminal.type(f"{aws} s3 rm s3://matteline-local-output/thirsty_memo.txt")

    upload(terminal, "note.memo", key="thirsty.memo", metadata="matteline-model=drinks")
    terminal.wait_for("DONE        thirsty.memo", times=2)
    upload(terminal, "note.memo", key="thirsty.memo", metadata="matteline-model=drinks")
    terminal.wait_for("DUPLICATE   thirsty.memo")

    assert output(terminal, "thirsty_memo.txt").split() == ["lemonade"]


def test_an_audit_finds_every_upload_of_every_product(terminal: Terminal) -> None:
    for words in ("jobs audit --since 1h", "jobs audit --since 1h --product memo"):
        told = verb(terminal, words)

        assert "0 lost, 0 stuck, 0 doubled, 0 unpublished, 0 unrecorded" in told

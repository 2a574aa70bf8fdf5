"""The operator's verbs, typed beside a running `matteline up`."""

from __future__ import annotations

import json
import re

import pytest

from tests.pipeline.cli.terminal import Terminal


def _type(terminal: Terminal, words: str) -> str:
    return terminal.type(f"python -m pipeline {words} --endpoint-url {terminal.endpoint}")


def _refused(terminal: Terminal, words: str) -> tuple[int, str]:
    done = terminal.run(f"python -m pipeline {words} --endpoint-url {terminal.endpoint}")
    return done.returncode, done.stdout + done.stderr


@pytest.fixture
def diary(terminal: Terminal) -> str:
    """The name of an execution that refused something."""
    (terminal.folder / "diary.jpg").write_text("Dear diary")
    aws = terminal.command("aws").split(" s3 ")[0]
    terminal.type(f"{aws} s3 cp diary.jpg s3://matteline-local-ingest/")
    terminal.wait_for("QUARANTINED diary.jpg")
    listed = _type(terminal, "quarantine list")
    found = re.search(r"[0-9a-f]{8}-[0-9a-f-]{27}", listed)
    assert found is not None
    return found[0]


def test_jobs_are_listed_shown_and_run_again(terminal: Terminal) -> None:
    aws = terminal.command("aws").split(" s3 ")[0]
    terminal.type(f"{aws} s3 cp cat.jpg s3://matteline-local-ingest/jobs/cat.jpg")
    terminal.wait_for("jobs/cat.jpg")

    listed = _type(terminal, "jobs list --status DONE --product cutout")
    job_id = re.findall(r"[0-9a-f]{32}", listed)[0]
    shown = _type(terminal, f"jobs show {job_id}")
    code, told = _refused(terminal, f"jobs replay {job_id}")
    again = _type(terminal, f"jobs replay {job_id} --force")

    assert "jobs/cat.jpg" in listed
    assert "s3://matteline-local-output/jobs/cat_bg_removed.json" in shown
    assert "RemoveBackground" in shown
    assert (code, "it is done; use --force" in told) == (1, True)
    assert "started again as replay-" in again


def test_a_refusal_is_listed_with_its_reason_and_released(terminal: Terminal, diary: str) -> None:
    shown = json.loads(_type(terminal, f"quarantine show {diary}"))
    released = _type(terminal, f"quarantine release {diary}")
    listed = _type(terminal, "quarantine list --all")

    assert shown["error"] == "UnsupportedMedia"
    assert shown["replay"]["command"] == f"matteline quarantine release {diary} --stage local"
    assert "started again as replay-" in released
    assert f"{diary} (released)" in listed


def test_an_audit_ends_in_counts_and_exit_code_0_where_nothing_is_wrong(
    terminal: Terminal, diary: str
) -> None:
    del diary

    told = _type(terminal, "jobs audit --since 1h --product cutout")

    assert re.search(r"^cutout: \d+ objects: .*\d+ QUARANTINED", told, re.MULTILINE)
    assert "0 lost, 0 stuck, 0 doubled, 0 unpublished, 0 unrecorded" in told


@pytest.mark.parametrize(
    ("words", "code", "told"),
    [
        ("jobs show nobody", 1, "no job or execution nobody\n`matteline jobs list` lists"),
        ("jobs delete", 2, "name jobs, or pass --prefix"),
        ("jobs delete x --prefix y/", 2, "name jobs, or pass --prefix"),
        ("jobs delete --prefix nobody/", 0, "no job matches"),
        ("jobs replay --error NoSuchError", 0, "no job matches"),
        ("jobs replay", 2, "choose the jobs with NAMES or --error NAME"),
        ("jobs list --since yesterday", 2, "neither like 30m, 2h or 7d nor a date"),
        ("quarantine release nobody", 1, "not in quarantine\n`matteline quarantine list`"),
        ("keys revoke nobody", 1, "there is no key nobody\n`matteline keys list`"),
        ("quotas set shop --jobs 5", 2, "'shop' is not a prefix of 32 hexadecimal digits; `matt"),
        ("quarantine release x --options 5", 2, "is not a JSON object"),
        ("jobs audit --product cutuot", 2, "did you mean 'cutout'?"),
    ],
)
def test_what_cannot_be_done_is_said_in_one_line_and_a_hint(
    terminal: Terminal, words: str, code: int, told: str
) -> None:
    answered, said = _refused(terminal, words)

    assert (answered, told in said, "Traceback" in said) == (code, True, False)


def test_a_dry_run_of_a_backfill_prints_count_size_and_cost(terminal: Terminal) -> None:
    aws = terminal.command("aws").split(" s3 ")[0]
    for name in ("1", "2"):
        terminal.type(f"{aws} s3 cp cat.jpg s3://matteline-local-ingest/old/{name}.jpg")
        terminal.wait_for(f"old/{name}.jpg")

    told = _type(terminal, "backfill start --product cutout --prefix old/ --dry-run")

    assert told.startswith("2 objects, 0.000 GB; 2 done already")
    assert "cutout: 2 objects, 1.5 s each with 2,048 MB (u2netp)" in told
    assert "about $0.00\nabout 0:00:00, " in told


def test_nobody_at_home_is_said_with_what_to_do(terminal: Terminal) -> None:
    done = terminal.run("python -m pipeline jobs list --endpoint-url http://127.0.0.1:9")

    assert done.returncode == 1
    assert "Is `matteline up` running there?" in done.stderr

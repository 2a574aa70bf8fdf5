"""Whatever is asked, the API answers as its description says, and never fails."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from containers.http_api.openapi import DOCUMENT
from tests.api.counts import COUNTS
from tests.api.described import OPERATIONS
from tests.api.faces import created, embedded, enrolled
from tests.containers.http_api.finished import finished_at
from tests.execution.api import User, batch_of, done, prefix_of, selection_of
from tests.pipeline.cli.terminal import Terminal

FEW = 10  # examples of an operator's requests: many of them start an execution
CONSOLE = "Console"
SETTINGS = Path(__file__).with_name("schemathesis.toml")


@pytest.fixture
def names(up: Terminal, user: User) -> list[str]:
    """Names of a user's uploads and jobs: waiting, done, refused; of a selection and a batch."""
    talk = finished_at(up.endpoint, prefix_of(user))
    finished, refused = done(user), done(user, b"no photo", name="letter.txt")
    uploads = [user.upload()["id"], finished["id"], finished["job"], refused["id"]]
    uploads.append(talk.job_id)
    return [*uploads, selection_of(user, finished["key"]), batch_of(user, finished["key"])]


@pytest.fixture
def collection(operator: User, user: User, tag: str) -> str:
    """A collection that the user may search, with a face."""
    name = created(operator, f"described-{tag or 'all'}".lower(), user)
    enrolled(operator, name, embedded(operator, 3)["id"], "anna")
    return name


@pytest.mark.timeout(240)
@pytest.mark.parametrize(
    "tag", ["", "Collections", CONSOLE], ids=["user", "collections", "console"]
)
def test_every_answer_is_as_described(
    request: pytest.FixtureRequest, tag: str, names: list[str], collection: str, tmp_path: Path
) -> None:
    """Operators ask about few things only: elsewhere, they may change what other tests have.

    For users there is no console: `test_isolation` asks as one.
    """
    asking: User = request.getfixturevalue("operator" if tag else "user")
    operations = [
        each
        for each in OPERATIONS
        if (tag in each.details["tags"] if tag else CONSOLE not in each.details["tags"])
    ]
    (tmp_path / "names.txt").write_text("\n".join(map(json.dumps, [*names, collection])))
    shutil.copy(SETTINGS, tmp_path)

    asked = subprocess.run(
        [
            Path(sys.executable).with_name("schemathesis"), "run", DOCUMENT,
            "--url", asking.address, "--header", f"x-matteline-principal: {asking.name}",
            "--header", f"x-matteline-scopes: {asking.scopes}",
            *(["--include-tag", tag, "--max-examples", str(FEW)] if tag
              else ["--exclude-tag", CONSOLE]),
            "--continue-on-failure", "--no-color", "--output-truncate", "false",
            "--report-json-path", "report.json",
        ],
        cwd=tmp_path, capture_output=True, text=True, check=False,
    )  # fmt: skip

    assert asked.returncode == 0, asked.stdout + asked.stderr
    report: dict[str, Any] = json.loads((tmp_path / "report.json").read_text())
    generated = report["test_cases"]["generated"]
    whom = tag or "all but the console"
    COUNTS.append(f"schemathesis: {generated} requests to {len(operations)} operations of {whom}")
    assert report["operations"]["tested"] == len(operations)
    assert {phase: each["status"] for phase, each in report["phases"].items()} == {
        "examples": "skip",  # the description has none
        "coverage": "success",
        "fuzzing": "success",
        "stateful": "success",
    }
    assert generated > (FEW if tag else 40) * len(operations)

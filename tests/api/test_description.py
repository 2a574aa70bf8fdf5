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
from tests.containers.http_api.finished import finished_at
from tests.execution.api import User, batch_of, done, prefix_of, selection_of
from tests.pipeline.cli.terminal import Terminal

SETTINGS = Path(__file__).with_name("schemathesis.toml")


@pytest.fixture
def names(up: Terminal, user: User) -> list[str]:
    """Names of a user's uploads and jobs: waiting, done, refused; of a selection and a batch."""
    talk = finished_at(up.endpoint, prefix_of(user))
    finished, refused = done(user), done(user, b"no photo", name="letter.txt")
    uploads = [user.upload()["id"], finished["id"], finished["job"], refused["id"]]
    uploads.append(talk.job_id)
    return [*uploads, selection_of(user, finished["key"]), batch_of(user, finished["key"])]


@pytest.mark.timeout(240)
def test_every_answer_is_as_described(user: User, names: list[str], tmp_path: Path) -> None:
    (tmp_path / "names.txt").write_text("\n".join(map(json.dumps, names)))
    shutil.copy(SETTINGS, tmp_path)

    asked = subprocess.run(
        [
            Path(sys.executable).with_name("schemathesis"), "run", DOCUMENT,
            "--url", user.address, "--header", f"x-matteline-principal: {user.name}",
            "--continue-on-failure", "--no-color", "--output-truncate", "false",
            "--report-json-path", "report.json",
        ],
        cwd=tmp_path, capture_output=True, text=True, check=False,
    )  # fmt: skip

    assert asked.returncode == 0, asked.stdout + asked.stderr
    report: dict[str, Any] = json.loads((tmp_path / "report.json").read_text())
    generated = report["test_cases"]["generated"]
    COUNTS.append(f"schemathesis: {generated} requests to {len(OPERATIONS)} operations")
    assert report["operations"]["tested"] == len(OPERATIONS)
    assert {phase: each["status"] for phase, each in report["phases"].items()} == {
        "examples": "skip",  # the description has none
        "coverage": "success",
        "fuzzing": "success",
        "stateful": "success",
    }
    assert generated > 40 * len(OPERATIONS)

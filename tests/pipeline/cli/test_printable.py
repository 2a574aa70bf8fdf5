"""No text of a user reaches the terminal as a command: it could clear it, or name its window."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Final

import pytest

from pipeline.cli.jobs import report_replays
from pipeline.cli.tables import print_dead_letters, print_job, print_jobs, print_quarantine
from pipeline.declared.names import LOCAL_NAMES
from pipeline.operations.dead_letters import DeadLetter
from pipeline.operations.jobs_table import JobRow
from pipeline.operations.lookup import Job
from pipeline.operations.replaying import Replay
from pipeline.operations.site import Site, local_site

KEY: Final = "a\x1b[2J\x1b]0;b\x07\x9b31m\u202ec\rd.png"
THEN: Final = datetime(2026, 1, 1, tzinfo=UTC)
ROW: Final = JobRow("j", "FAILED", "arn:x", THEN, "ingest", KEY)
REASON: Final = {"message": f"no photo: {KEY}", "hint": "one\ntwo", "error": "CorruptMedia"}
BODY: Final = json.dumps({"type": "job.done", "data": {"key": KEY}, "key": KEY})
SITE: Final[Site] = local_site(LOCAL_NAMES, "http://127.0.0.1:1", ())


def _replays() -> None:
    with pytest.raises(SystemExit):
        report_replays([Replay(ROW)])


@pytest.mark.parametrize(
    "show",
    [
        pytest.param(lambda: print_jobs([ROW]), id="jobs"),
        pytest.param(lambda: print_job(SITE, Job(ROW, None, None), REASON, ()), id="job"),
        pytest.param(lambda: print_quarantine([(ROW, REASON)]), id="quarantine"),
        pytest.param(
            lambda: print_dead_letters([DeadLetter("m", "w", BODY, KEY, KEY, THEN)]),
            id="dead-letters",
        ),
        pytest.param(_replays, id="replays"),
    ],
)
def test_a_key_is_escaped(show: Callable[[], None], capsys: pytest.CaptureFixture[str]) -> None:
    show()

    told = capsys.readouterr().out
    assert r"a\x1b" in told
    assert all(letter.isprintable() or letter == "\n" for letter in told)

"""What functions log can be searched as on AWS, and takes no more room than it may."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any, cast

import pytest

from pipeline.local.logs_api import KeptLogs, LogsApi
from pipeline.local.runtime_api import Answer

FUNCTION = "matteline-local-edge-refiner"
GROUP = f"/aws/lambda/{FUNCTION}"
NAME = "event-1"


def line(second: int, **fields: Any) -> str:
    return json.dumps({"timestamp": f"2026-10-01 00:00:{second:02},500+0000", **fields})


@pytest.fixture
def ask(tmp_path: Path) -> Any:
    """Return the answer of the API, with its status."""
    api = LogsApi(
        lambda _environ, start: start("404 Passed on", []) or [b"{}"],
        {GROUP: tmp_path / f"{FUNCTION}.log", "/aws/lambda/silent": tmp_path / "silent.log"},
    )

    def ask(target: str = "Logs_20140328.FilterLogEvents", **asked: Any) -> tuple[str, Any]:
        body, statuses = json.dumps(asked).encode(), list[str]()
        environ = {
            "HTTP_X_AMZ_TARGET": target,
            "CONTENT_LENGTH": str(len(body)),
            "wsgi.input": io.BytesIO(body),
        }
        answer = api(environ, lambda status, _headers, *_: cast("Any", statuses.append(status)))
        return statuses[0], json.loads(b"".join(answer))

    return ask


def found(answer: tuple[str, Any]) -> list[Any]:
    assert answer[0] == "200 OK"
    return [json.loads(each["message"])["n"] for each in answer[1]["events"]]


def test_lines_of_one_execution_are_found_by_arn_or_trace_id(ask: Any, tmp_path: Path) -> None:
    lines = [
        line(1, n=1, execution=f"arn:aws:states:r:1:execution:m:{NAME}"),
        line(2, n=2, execution=f"arn:aws:states:r:1:execution:m:{NAME}0"),
        "Traceback (most recent call last): event-1",
        line(3, n=3, trace_id=NAME),
        line(4, n=4, message=NAME),
        '{"timestamp": "event-1',
    ]
    (tmp_path / f"{FUNCTION}.log").write_text("\n".join(lines))
    pattern = f'{{ ($.execution = "*:{NAME}") || ($.trace_id = "{NAME}") }}'

    whole = ask(logGroupName=GROUP, filterPattern=pattern)
    (first, *_) = whole[1]["events"]
    from_then = ask(logGroupName=GROUP, filterPattern=pattern, startTime=first["timestamp"] + 1)

    assert found(whole) == [1, 3]
    assert first["timestamp"] == 1_790_812_801_500
    assert found(from_then) == [3]


def test_events_come_in_pages(ask: Any, tmp_path: Path) -> None:
    (tmp_path / f"{FUNCTION}.log").write_text("".join(f"{line(n, n=n)}\n" for n in range(5)))
    pages, more = [], {}
    while True:
        answer = ask(logGroupName=GROUP, limit=2, **more)
        pages.append(found(answer))
        if "nextToken" not in answer[1]:
            break
        more = {"nextToken": answer[1]["nextToken"]}

    assert pages == [[0, 1], [2, 3], [4]]


def test_a_group_that_nothing_was_written_to_is_empty(ask: Any) -> None:
    assert found(ask(logGroupName="/aws/lambda/silent")) == []


@pytest.mark.parametrize("group", ["/aws/lambda/other", "/aws/lambda/../x", ""])
def test_there_is_no_other_group(ask: Any, group: str) -> None:
    status, answer = ask(logGroupName=group)

    assert (status, answer["__type"]) == ("400 Bad Request", "ResourceNotFoundException")


def test_other_requests_are_passed_on(ask: Any) -> None:
    assert ask("Logs_20140328.DescribeLogGroups")[0] == "404 Passed on"


def test_a_log_keeps_its_latest_lines(tmp_path: Path) -> None:
    path = tmp_path / f"{FUNCTION}.log"
    keep = KeptLogs(tmp_path, kept=1_000)
    with path.open("ab", buffering=0) as writer:  # a worker has the file open
        for number in range(1_000):
            writer.write(f"{line(1, n=number)}\n".encode())
            keep(FUNCTION, b"{}", Answer(b"{}", failed=False))
            assert path.stat().st_size <= 2_100

    kept = [json.loads(each)["n"] for each in path.read_text().splitlines()]
    assert kept == list(range(kept[0], 1_000))
    assert len(kept) > 10

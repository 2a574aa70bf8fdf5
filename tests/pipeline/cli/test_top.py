"""`matteline top` beside a running cloud: one look, and live on a terminal of its own."""

from __future__ import annotations

import fcntl
import json
import os
import pty
import re
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import pytest

from tests.pipeline.cli.terminal import PATIENCE_S, Terminal

SHOWN, HIDDEN = "\x1b[?1049h", "\x1b[?1049l"  # the screen of its own


@dataclass
class Watching:
    """A `top` that runs on a terminal."""

    process: subprocess.Popen[bytes]
    screen: int
    terminal: int
    seen: str = ""

    def wait_for(self, pattern: str, *, times: int = 1) -> str:
        deadline = time.monotonic() + PATIENCE_S
        while len(re.findall(pattern, self.seen)) < times:
            assert time.monotonic() < deadline, self.seen
            self._read()
        return self.seen

    def end(self) -> int:
        deadline = time.monotonic() + PATIENCE_S
        while self.process.poll() is None:
            assert time.monotonic() < deadline, self.seen
            self._read()
        self._read()
        return int(self.process.returncode)

    def _read(self) -> None:
        os.set_blocking(self.screen, False)
        try:
            self.seen += os.read(self.screen, 65_536).decode(errors="replace")
        except BlockingIOError:
            time.sleep(0.05)


@contextmanager
def watching(terminal: Terminal, *, columns: int = 140, rows: int = 50) -> Iterator[Watching]:
    screen, line = pty.openpty()
    fcntl.ioctl(line, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
    command = [sys.executable, "-m", "pipeline", "top", "--endpoint-url", terminal.endpoint]
    environment = {**terminal.environment, "TERM": "xterm-256color"}
    environment = {k: v for k, v in environment.items() if k not in {"COLUMNS", "LINES"}}
    process = subprocess.Popen(
        command, env=environment, stdin=line, stdout=line, stderr=line,
        start_new_session=True,
        preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),  # noqa: PLW1509 - for Ctrl-C
    )  # fmt: skip
    try:
        yield Watching(process, screen, line)
    finally:
        if process.poll() is None:
            process.kill()
            process.wait()
        os.close(screen)
        os.close(line)


def look(terminal: Terminal) -> dict[str, Any]:
    told = terminal.type(f"python -m pipeline top --json --endpoint-url {terminal.endpoint}")
    found: dict[str, Any] = json.loads(told)
    return found


@pytest.fixture(scope="module")
def busy(terminal: Terminal) -> Terminal:
    """A cloud that has made a cutout, and has put a diary into quarantine."""
    (terminal.folder / "diary.jpg").write_text("Dear diary")
    aws = terminal.command("aws").split(" s3 ")[0]
    for file in ("cat.jpg", "diary.jpg"):
        terminal.type(f"{aws} s3 cp {file} s3://matteline-local-ingest/top/{file}")
        terminal.wait_for(f"top/{file}")
    return terminal


def test_a_look_counts_what_ended_and_what_it_took(busy: Terminal) -> None:
    seen = look(busy)

    (cutout,) = (each for each in seen["products"] if each["product"] == "cutout")
    assert (cutout["running"], cutout["done"], cutout["failed"]) == (0, 1, 0)
    assert (cutout["quarantined"], seen["errors"]) == (1, {"UnsupportedMedia": 1})
    assert 0 < cutout["p50_s"] <= cutout["p95_s"]
    assert cutout["spent"]["gb_s"] > 0
    per_job = cutout["spent"]["gb_s"] * 0.0000166667
    assert cutout["dollars_per_thousand"] == pytest.approx(1000 * per_job)
    calls = {each["container"]: each for each in seen["containers"]}
    assert calls["media-inspector"]["calls"] == 1  # the refused call ends without `done`
    assert {calls[name]["calls"] for name in ("background-remover", "edge-refiner")} == {1}
    assert all(each["in_flight"] == 0 for each in calls.values())
    assert (seen["queues"], seen["backfills"]) == ([], [])


def test_without_a_terminal_one_look_is_printed(busy: Terminal) -> None:
    printed = busy.type(f"python -m pipeline top --endpoint-url {busy.endpoint}")

    assert printed.startswith("matteline-local")
    assert re.search(r"cutout +0 +\d +1 +1 +0 ", printed)
    assert "UnsupportedMedia" in printed
    assert "\x1b" not in printed


def test_a_terminal_that_is_too_small_gets_one_look(busy: Terminal) -> None:
    with watching(busy, columns=80) as top:
        assert top.end() == 0

    assert "UnsupportedMedia" in top.seen
    assert SHOWN not in top.seen


@pytest.mark.parametrize("key", [b"q", b"\x03"], ids=["q", "ctrl-c"])
def test_live_it_looks_again_and_leaves_the_terminal_as_it_was(busy: Terminal, key: bytes) -> None:
    with watching(busy) as top:
        before = termios.tcgetattr(top.terminal)
        top.wait_for(r"q quits", times=2)
        os.write(top.screen, b"x")  # no key of its own
        os.write(top.screen, key)
        code = top.end()
        after = termios.tcgetattr(top.terminal)

    assert code == 0
    assert after == before
    assert (top.seen.count(SHOWN), top.seen.count(HIDDEN)) == (1, 1)
    assert "Traceback" not in top.seen
    assert "\x1b[2J" not in top.seen.partition("q quits")[2]  # nothing flickers


def test_a_cloud_that_is_gone_is_said_in_words(terminal: Terminal) -> None:
    done = terminal.run("python -m pipeline top --once --endpoint-url http://127.0.0.1:9")

    assert done.returncode == 1
    assert "Is `matteline up` running there?" in done.stderr


def test_records_say_what_jobs_cost(busy: Terminal) -> None:
    printed = busy.type(f"python -m pipeline jobs cost --endpoint-url {busy.endpoint}")

    (row,) = (line for line in printed.splitlines() if "cutout" in line)
    jobs, gb_s, vcpu_s, price, sound = (each.strip() for each in row.split("│")[2:7])
    assert (jobs, vcpu_s, sound) == ("1", "0.00", "")
    assert float(price.removeprefix("$")) == pytest.approx(
        1000 * float(gb_s) * 0.0000166667, rel=0.2
    )

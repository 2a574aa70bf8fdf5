"""`matteline up`: what it prints is what is typed here, letter by letter, into the real AWS CLI."""

from __future__ import annotations

import json
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.conftest import ROOT
from tests.pictures import png, square, unpng

PATIENCE_S = 60


@dataclass
class Terminal:
    """A second terminal next to a running `matteline up`."""

    process: subprocess.Popen[str]
    log: Path
    folder: Path
    environment: dict[str, str]

    @property
    def shown(self) -> str:
        return self.log.read_text()

    def wait_for(self, text: str) -> str:
        deadline = time.monotonic() + PATIENCE_S
        while text not in self.shown:
            assert self.process.poll() is None, self.shown
            assert time.monotonic() < deadline, self.shown
            time.sleep(0.05)
        return self.shown

    def command(self, beginning: str) -> str:
        """The first printed command that begins like this, continuation lines included."""
        printed = self.shown.replace("\\\n", " ")
        return next(
            line.strip() for line in printed.splitlines() if line.strip().startswith(beginning)
        )

    def type(self, command: str) -> str:
        """Run a command in a shell that has typed the printed export line first."""
        script = f"{self.command('export')}\n{command}"
        done = subprocess.run(
            ["bash", "-ec", script],
            cwd=self.folder, env=self.environment, capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        return done.stdout

    def workers(self) -> list[int]:
        children = Path(f"/proc/{self.process.pid}/task")
        lists = [path.read_text() for path in children.glob("*/children")]
        return [int(pid) for text in lists for pid in text.split()]


@pytest.fixture(scope="module")
def terminal(
    environment: dict[str, str], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Terminal]:
    folder = tmp_path_factory.mktemp("terminal")
    (folder / "cat.jpg").write_bytes(png(square()))
    log = folder / "up.log"
    environment = environment | {"XDG_CACHE_HOME": str(folder / "cache")}
    with log.open("w") as out:
        process = subprocess.Popen(
            [sys.executable, "-m", "pipeline", "up", "--port", "0", "--model", "brightness"],
            cwd=ROOT, env=environment, stdout=out, stderr=out, text=True,
        )  # fmt: skip
    terminal = Terminal(process, log, folder, environment)
    terminal.wait_for("Ctrl-C stops everything.")
    yield terminal
    if process.poll() is None:
        process.kill()
        process.wait()


def test_what_is_printed_can_be_typed(terminal: Terminal) -> None:
    aws = terminal.command("aws").split(" s3 ")[0]
    terminal.type(terminal.command(f"{aws} s3 cp cat.jpg"))
    terminal.wait_for("DONE        cat.jpg")

    terminal.type(terminal.command(f"{aws} s3 cp cat.jpg"))
    terminal.wait_for("DUPLICATE   cat.jpg")

    started = terminal.type(terminal.command(f"{aws} stepfunctions start-execution"))
    terminal.type(terminal.command(f"{aws} s3 cp --recursive"))
    listed = terminal.type(terminal.command(f"{aws} stepfunctions list-executions"))
    arn = json.loads(started)["executionArn"]
    history = terminal.type(
        terminal.command(f"{aws} stepfunctions get-execution-history").replace("ARN", arn)
    )

    assert unpng((terminal.folder / "out/cat_bg_removed.png").read_bytes()).shape == (96, 96, 4)
    assert len(json.loads(listed)["executions"]) == 3
    entered = re.findall(r'"name": "(\w+)"', history)
    assert "RemoveBackground" not in entered


def test_options_travel_as_metadata(terminal: Terminal) -> None:
    command = next(line.strip() for line in terminal.shown.splitlines() if "--metadata" in line)

    terminal.type(command.replace("/ --", "/crop.jpg --"))

    assert "crop_bg_removed.webp" in terminal.wait_for("crop_bg_removed")


def test_a_refused_photo_is_said_with_its_reason(terminal: Terminal) -> None:
    (terminal.folder / "diary.jpg").write_text("Dear diary")

    terminal.type(
        terminal.command("aws").split("cat.jpg")[0] + "diary.jpg s3://matteline-local-ingest/"
    )

    assert "QUARANTINED diary.jpg  UnsupportedMedia:" in terminal.wait_for("diary.jpg  Unsupported")


def test_it_listens_on_this_machine_only(terminal: Terminal) -> None:
    port = int(re.search(r"127\.0\.0\.1:(\d+)", terminal.shown)[1])  # type: ignore[index]
    listening = Path("/proc/net/tcp").read_text()

    assert f"0100007F:{port:04X}" in listening
    assert f"00000000:{port:04X}" not in listening


def test_ctrl_c_leaves_nothing_running(terminal: Terminal) -> None:
    workers = terminal.workers()
    port = int(re.search(r"127\.0\.0\.1:(\d+)", terminal.shown)[1])  # type: ignore[index]
    logs = Path(re.search(r"tail -f (\S+)/\*\.log", terminal.shown)[1])  # type: ignore[index]
    assert workers
    assert logs.is_dir()

    terminal.process.send_signal(signal.SIGINT)

    assert terminal.process.wait(20) == 0
    assert [pid for pid in workers if Path(f"/proc/{pid}").exists()] == []
    assert not logs.exists()
    assert len([*(terminal.folder / "cache").rglob("brightness.onnx")]) == 1
    with socket.socket() as probe:
        assert probe.connect_ex(("127.0.0.1", port)) != 0
    assert "Traceback" not in terminal.shown

"""Type commands in a second terminal beside a running `matteline up`."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.models import Shelf
from tests.packages import OFFLINE

PATIENCE_S = 60


def users_environment(shelf: Shelf, cache: Path) -> dict[str, str]:
    """A user's environment, with the shelf's models, a cache of its own and no packages.

    Clouds of other tests, which are in other folders for temporary files, are not found.
    """
    kept = {name: text for name, text in os.environ.items() if not name.startswith("MATTELINE_")}
    return (
        kept
        | OFFLINE
        | {
            "XDG_CACHE_HOME": str(cache),
            "TMPDIR": str(cache),
            "MATTELINE_WEIGHTS_MIRROR": shelf.mirror,
            "MATTELINE_CATALOGUE": str(shelf.catalogue),
            "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        }
    )


@contextmanager
def beside_up(
    root: Path, folder: Path, environment: dict[str, str], *options: str, model: str = "brightness"
) -> Iterator[Terminal]:
    """Run `matteline up` of the repository at `root`, next to a terminal in `folder`."""
    log = folder / "up.log"
    own = {"XDG_CACHE_HOME": str(folder / "cache"), "TMPDIR": str(folder)}
    environment = environment | own | {"PYTHONPATH": str(root)}
    with log.open("w") as out:
        process = subprocess.Popen(
            [sys.executable, "-m", "pipeline", "up", "--port", "0", "--model", model, *options],
            cwd=root, env=environment, stdout=out, stderr=out, text=True,
        )  # fmt: skip
    terminal = Terminal(process, log, folder, environment)
    try:
        terminal.wait_for("Ctrl-C stops everything.")
        yield terminal
    finally:
        if process.poll() is None:
            process.kill()
            process.wait()


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

    def wait_for(self, text: str, *, times: int = 1) -> str:
        deadline = time.monotonic() + PATIENCE_S
        while self.shown.count(text) < times:
            assert self.process.poll() is None, self.shown
            assert time.monotonic() < deadline, self.shown
            time.sleep(0.05)
        return self.shown

    def command(self, beginning: str) -> str:
        """Return the first printed command with this beginning, with its continuation lines."""
        printed = self.shown.replace("\\\n", " ")
        return next(
            line.strip() for line in printed.splitlines() if line.strip().startswith(beginning)
        )

    @property
    def endpoint(self) -> str:
        found = re.search(r"http://127\.0\.0\.1:\d+", self.shown)
        assert found is not None
        return found[0]

    def type(self, command: str) -> str:
        """Run a command, which must succeed, in a shell where the export line was typed first."""
        done = self.run(command)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def run(self, command: str) -> subprocess.CompletedProcess[str]:
        script = f"{self.command('export')}\n{command}"
        return subprocess.run(
            ["bash", "-ec", script],
            cwd=self.folder, env=self.environment, capture_output=True, text=True, check=False,
        )  # fmt: skip

    def workers(self) -> list[int]:
        children = Path(f"/proc/{self.process.pid}/task")
        lists = [path.read_text() for path in children.glob("*/children")]
        return [int(pid) for text in lists for pid in text.split()]

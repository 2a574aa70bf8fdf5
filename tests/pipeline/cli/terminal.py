"""Type commands in a second terminal beside a running `matteline up`."""

from __future__ import annotations

import re
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

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

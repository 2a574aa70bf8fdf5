"""Asks the cell, which reads recordings in locked processes."""

from __future__ import annotations

import json
import pickle
import struct
import subprocess
import sys
from typing import Any, Self

from tests.conftest import ROOT
from tests.hostile.recordings.cell import Question


class Warder:
    """Starts the cell, and stops it at the end of a `with` block."""

    def __enter__(self) -> Self:
        self._cell = subprocess.Popen(
            [sys.executable, "-m", "tests.hostile.recordings.cell"],
            cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        )  # fmt: skip
        return self

    def __exit__(self, *_error: object) -> None:
        self._cell.communicate()

    def ask(self, question: Question) -> dict[str, Any]:
        """Return how the recording ended, what was read, and what it took."""
        assert self._cell.stdin is not None
        assert self._cell.stdout is not None
        content = pickle.dumps(question)
        self._cell.stdin.write(struct.pack("<Q", len(content)) + content)
        self._cell.stdin.flush()
        answer: dict[str, Any] = json.loads(self._cell.stdout.readline())
        return answer

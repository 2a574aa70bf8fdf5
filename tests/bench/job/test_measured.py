"""The measure of whole jobs counts every process of a command."""

from __future__ import annotations

import os
import sys

import pytest

from tests.bench.job.measured import measure

_BUSY = "import time\nwhile time.process_time() < 0.5: pass"
# The child outlives its parent, which never waits for it.
_ORPHAN = f"import subprocess, sys; subprocess.Popen([sys.executable, '-c', {_BUSY!r}])"
_CHILD = (
    "import subprocess, sys;"
    "subprocess.run([sys.executable, '-c', 'import time; b = bytes([1]) * 2**27; time.sleep(1)'])"
)


def test_orphaned_processes_count() -> None:
    spent = measure([sys.executable, "-c", _ORPHAN], dict(os.environ), memory=False)
    assert spent.cpu_s >= 0.5
    assert spent.largest_mb == 0


def test_childrens_memory_counts() -> None:
    spent = measure([sys.executable, "-c", _CHILD], dict(os.environ), memory=True)
    assert spent.largest_mb > 128
    assert spent.together_mb > 128


def test_a_failed_command_is_no_figure() -> None:
    with pytest.raises(SystemExit, match="no such photo"):
        measure(
            [sys.executable, "-c", "raise SystemExit('no such photo')"],
            dict(os.environ),
            memory=False,
        )

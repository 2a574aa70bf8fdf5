"""Programs that build and enter images are run with their failures named."""

from __future__ import annotations

import sys

import pytest

from pipeline.releases.images.tools import BuildFailed, ToolMissing, answer, run


def test_a_failed_program_is_quoted() -> None:
    script = "import sys; print('because'); sys.exit(3)"

    with pytest.raises(BuildFailed, match=r"(?s)ended with 3\nbecause"):
        run(sys.executable, "-c", script)
    assert answer(sys.executable, "-c", script) is None


def test_a_missing_program_is_named() -> None:
    with pytest.raises(ToolMissing, match="no-such-program is not installed"):
        run("no-such-program")

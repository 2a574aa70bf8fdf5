"""What is wrong with an input is found at its line, however long the input is."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any, Final

import pytest

from pipeline.declared.page import page_folder
from tests.conftest import ROOT

NODE: Final = shutil.which("node")
SECONDS: Final = 20.0

pytestmark = pytest.mark.skipif(NODE is None, reason="no node")


def located(text: str, *pointers: str) -> list[list[Any]]:
    """Return the line and the text of each value."""
    script = Path(__file__).parent / "located.mjs"
    done = subprocess.run(
        [str(NODE), str(script), str(page_folder(ROOT)), *pointers],
        input=text, capture_output=True, text=True, check=True, timeout=SECONDS,
    )  # fmt: skip
    found: list[list[Any]] = json.loads(done.stdout)
    return found


def test_a_value_is_found_by_its_pointer_or_what_it_should_be_in() -> None:
    text = json.dumps({"a": [1, {"b/c": "}\\"}], "d~": {}}, indent=1)

    assert located(text, "/a/0", "/a/1/b~1c", "/d~0/missing", "") == [
        [3, "1"], [5, '"}\\\\"'], [8, "{}"], [1, text],
    ]  # fmt: skip


def test_a_long_input_is_searched_at_once() -> None:
    """Counting the lines before each of its values would take minutes."""
    text = json.dumps({f"x{number}": {"a": number} for number in range(40_000)}, indent=2)

    assert located(text, *(f"/x{number}/a" for number in range(39_950, 40_000)))[-1] == [
        120_000, "39999",
    ]  # fmt: skip

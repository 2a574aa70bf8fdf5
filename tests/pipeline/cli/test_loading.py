"""A command loads the libraries it needs: only those that start a cloud or call AWS load many."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from tests.conftest import ROOT

HEAVY = {"boto3", "flask", "moto", "numpy", "onnx", "onnxruntime", "PIL", "skimage", "werkzeug"}
LOADED = """
import atexit, json, sys
atexit.register(lambda: print(json.dumps(sorted(sys.modules)), file=sys.stderr))
from pipeline.__main__ import main
main()
"""


def loaded_by(*words: str) -> set[str]:
    """Return the packages that a process has loaded when the typed command ends."""
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", LOADED, *words],
        cwd=ROOT, capture_output=True, text=True, check=True, timeout=60,
    )  # fmt: skip
    assert done.stdout
    return {name.partition(".")[0] for name in json.loads(done.stderr)}


@pytest.mark.parametrize(
    "typed",
    [
        "--help",
        "run --help",
        "jobs --help",
        "models list",
        "models verify --help",
        "containers list",
        "containers version edge-refiner",
        "backfill start --help",
    ],
)
def test_a_command_that_starts_no_cloud_loads_none(typed: str) -> None:
    assert loaded_by(*typed.split()) & HEAVY == set()


def test_help_of_run_loads_little() -> None:
    assert loaded_by("run", "--help") & {"pydantic", "rich", "urllib3"} == set()

"""Every patch of `pipeline/local/moto` is needed by moto as it ships, and works.

A failure of `test_moto_still_needs` is good news: upstream has mended the defect, so delete the
patch.
"""

from __future__ import annotations

import inspect
import json
import subprocess
import sys
from importlib.metadata import version

import pytest

from pipeline.local.moto import compat, jobs, map_runs, memory, s3_events, steps, turns, vectors
from tests.conftest import ROOT

APPLIED = [
    name
    for module in (compat, jobs, map_runs, memory, s3_events, steps, turns, vectors)
    for name in inspect.unwrap(module.apply).__code__.co_names
    if name.startswith("_")
]


def _defects(*arguments: str) -> dict[str, bool]:
    """Return the defects another process has: a patch lasts as long as its process."""
    command = [
        *(sys.executable, "-W", "ignore", "-m", "tests.pipeline.local.moto.defects"),
        *arguments,
    ]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    found: dict[str, bool] = json.loads(done.stdout)
    return found


@pytest.fixture(scope="module")
def shipped() -> dict[str, bool]:
    return _defects()


@pytest.fixture(scope="module")
def mended() -> dict[str, bool]:
    return _defects("mended")


def test_every_patch_has_its_defect_and_every_defect_its_patch(shipped: dict[str, bool]) -> None:
    assert sorted(shipped) == sorted(APPLIED)


@pytest.mark.parametrize("patch", APPLIED)
def test_moto_still_needs(shipped: dict[str, bool], patch: str) -> None:
    assert shipped[patch]


@pytest.mark.parametrize("patch", APPLIED)
def test_the_defect_is_gone_after(mended: dict[str, bool], patch: str) -> None:
    assert not mended[patch]


def test_moto_is_the_version_the_patches_were_written_for() -> None:
    assert version("moto") == "5.2.5"


def test_an_execution_that_outlives_its_cloud_is_told_to_nobody() -> None:
    command = [sys.executable, "-W", "ignore", "-m", "tests.pipeline.local.moto.ends_of_clouds"]

    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)

    assert "Traceback" not in done.stderr
    assert json.loads(done.stdout) == ["ends during the reset"]

"""The defects of moto that `moto_compat` and its like mend, each seen in moto as it ships.

A red test here is good news: upstream has mended something, and the patch it names can go.
"""

from __future__ import annotations

import json
import subprocess
import sys
from importlib.metadata import version

import pytest

from tests.conftest import ROOT

PATCHES = [
    "_add_versions_alone",
    "_announce_ends",
    "_answer_for_tables_alone",
    "_decide_conditions_alone",
    "_forget_receipts",
    "_forget_threads",
    "_list_services_once",
    "_name_s3_errors",
    "_name_unnamed_executions",
    "_parse_once",
    "_put_away_executions",
    "_reuse_clients",
    "_shape_sdk_parameters",
    "_store_bodies",
    "_store_objects",
    "_store_rows",
    "_tag_nothing_with_nothing",
    "_track_no_instances",
]


def _defects(*arguments: str) -> dict[str, bool]:
    """What another process sees: patches last as long as the process they were applied in."""
    command = [
        sys.executable,
        "-W",
        "ignore",
        "-m",
        "tests.pipeline.local.moto.moto_defects",
        *arguments,
    ]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True, timeout=60)
    found: dict[str, bool] = json.loads(done.stdout)
    return found


@pytest.fixture(scope="module")
def shipped() -> dict[str, bool]:
    return _defects()


@pytest.fixture(scope="module")
def mended() -> dict[str, bool]:
    return _defects("mended")


@pytest.mark.parametrize("patch", PATCHES)
def test_moto_still_needs(shipped: dict[str, bool], patch: str) -> None:
    assert shipped[patch]


@pytest.mark.parametrize("patch", PATCHES)
def test_nothing_is_left_of_the_defect_after(mended: dict[str, bool], patch: str) -> None:
    assert not mended[patch]


def test_moto_is_the_version_the_patches_were_written_for() -> None:
    assert version("moto") == "5.2.5"

"""A photo is cut out alike in forks of a warm process and in workers started from nothing."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from pipeline.declared.blueprint import Blueprint
from pipeline.local.cloud import local_cloud
from pipeline.local.deployment import warm_functions
from pipeline.local.source_launcher import SourceLauncher
from pipeline.local.worker import Launcher
from tests.conftest import ROOT
from tests.execution.driver import Driver
from tests.execution.faults import Faults
from tests.hasty import hasty
from tests.models import Shelf
from tests.pictures import png, square

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="workers are forks on Linux only")


class CutOut(NamedTuple):
    """A photo's cutout and record, and the parents of the processes that made it."""

    cutout: bytes
    manifest: dict[str, Any]
    parents: set[int]


def test_a_true_cold_start_gives_the_same_cutout_as_forks(shelf: Shelf, tmp_path: Path) -> None:
    executed = cut_out(shelf, tmp_path / "executed", SourceLauncher(ROOT))
    forked = cut_out(shelf, tmp_path / "forked", None)

    assert executed.parents == {os.getpid()}
    assert len(forked.parents) == 1
    assert forked.parents != executed.parents
    assert executed.cutout == forked.cutout
    for each in (executed, forked):
        tasks = each.manifest["tasks"].values()
        assert [task["metrics"]["cold_start"] for task in tasks] == [1.0, 1.0, 1.0]


def cut_out(shelf: Shelf, folder: Path, launcher: Launcher | None) -> CutOut:
    """Run a photo through a cloud in which no worker is warm."""
    folder.mkdir()
    blueprint = Blueprint.read(ROOT, defaults=("brightness",), overlays=(shelf.catalogue,))
    faults = Faults()
    with local_cloud(
        hasty(blueprint, folder), weights_mirror=shelf.mirror, launcher=launcher, wrap=faults.wrap
    ) as cloud:
        driver = Driver(cloud, faults)
        execution = driver.drop(png(square()), "launchers/cat.png")
        assert execution.status == "SUCCEEDED", execution.reason
        names = warm_functions(blueprint)
        parents = {_parent(pid) for name in names for pid in cloud.host.worker_pids(name)}
        cutout = driver.read(execution.output["pictures"][0]["uri"])
        manifest = json.loads(driver.read(execution.output["manifest"]))
        return CutOut(cutout, manifest, parents)


def _parent(pid: int) -> int:
    return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])

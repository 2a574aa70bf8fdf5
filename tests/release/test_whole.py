"""The commands of docs/releasing.md build, release and roll back on the local cloud."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from tests.conftest import ROOT
from tests.release.building import CONTAINER, VERSION, builder_at
from tests.release.driver import Releases

OLDER = "0.0.1"


@pytest.fixture(scope="module")
def digest(releases: Releases, tmp_path_factory: pytest.TempPathFactory) -> str:
    """Build and push with the shipped buildspec; return the image's digest."""
    build = builder_at(releases.cloud.endpoint, tmp_path_factory.mktemp("builder")).build()
    assert build.succeeded, build.log
    return build.exported["IMAGE_DIGEST"]


def test_a_built_container_is_released_and_rolled_back(releases: Releases, digest: str) -> None:
    releases.push(CONTAINER, OLDER)
    assert releases.release(CONTAINER, OLDER).status == "SUCCEEDED"

    released = matteline(releases, "release", CONTAINER)

    assert released.stdout.endswith(f"{CONTAINER} {VERSION} is live\n"), released.stderr
    assert releases.stack(CONTAINER).parameters["ImageDigestHex"] == digest.removeprefix("sha256:")

    back = matteline(releases, "rollback", CONTAINER, OLDER)

    assert back.returncode == 0, back.stderr
    assert releases.stack(CONTAINER).parameters["ReleaseVersion"] == OLDER


def test_a_rejection_is_reported_with_its_reason(releases: Releases) -> None:
    rejected = matteline(releases, "rollback", CONTAINER, "7.7.7")

    assert rejected.returncode == 1
    assert rejected.stderr.startswith("RejectedVersion: ")


def test_a_release_runs_on_without_waiting(releases: Releases, digest: str) -> None:
    started = matteline(releases, "release", CONTAINER, "--no-wait")

    execution = releases.wait_for(started.stdout.strip())
    assert execution.input == {"container": CONTAINER, "version": VERSION, "action": "deploy"}
    assert execution.status == "SUCCEEDED"
    assert releases.row(CONTAINER)["digest"] == digest


def matteline(releases: Releases, *words: str) -> subprocess.CompletedProcess[str]:
    """Run `matteline containers …` against the running local cloud."""
    place = ("--endpoint-url", releases.cloud.endpoint)
    command = (sys.executable, "-m", "pipeline", "containers", *words, *place)
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False)

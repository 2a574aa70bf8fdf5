"""The image of a container that is added as a folder is built from the one Dockerfile."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.images.conftest import skip_or_fail
from tests.newcomer.growth import CONTAINER

pytestmark = pytest.mark.images


@pytest.mark.timeout(600)
def test_it_is_built_and_passes_its_self_test_inside(grown: Path) -> None:
    if not shutil.which("buildah") or os.geteuid() != 0:
        skip_or_fail("needs root and buildah")

    built = subprocess.run(
        [sys.executable, "-m", "pipeline", "containers", "build", CONTAINER],
        cwd=grown, env={**os.environ, "PYTHONPATH": str(grown)},
        capture_output=True, text=True, check=False,
    )  # fmt: skip

    # The self-test is a step of the build: an image whose self-test fails is not built.
    assert built.returncode == 0, (built.stdout + built.stderr)[-3000:]
    assert f"Built localhost/matteline/{CONTAINER}:0.1.0" in built.stdout + built.stderr

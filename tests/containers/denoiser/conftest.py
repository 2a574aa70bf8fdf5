"""Networks of the true contract: random ones, and those that let everything pass."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import onnx
import pytest

from containers.denoiser.network import Networks, open_networks
from containers.denoiser.spec import DeepFilterSpec
from containers.model_downloader.streaming import stream_network
from containers.model_downloader.working_network import require_working_network
from pipeline.weights.local_weights import LocalStream
from tests.denoiser_models import NETWORKS, Size
from tests.models import SHIPPED

ROW: Final = SHIPPED.row("deepfilternet3")
SPEC: Final = ROW.spec(DeepFilterSpec)


def opened(folder: Path, size: Size, *, passing: bool) -> Networks:
    paths = [folder / file.name for file in ROW.files]
    for path in paths:
        onnx.save(NETWORKS[path.name](size, passing=passing), path)
    answers = require_working_network(ROW, paths)
    made = (stream_network(path, ROW.role(path.name), ROW.table, answers) for path in paths)
    return open_networks(tuple(LocalStream(each.path, "0" * 64, each.states) for each in made))


@pytest.fixture(scope="session")
def networks(tmp_path_factory: pytest.TempPathFactory) -> Networks:
    """Networks that answer something else for every sound, and for every sound before it."""
    return opened(tmp_path_factory.mktemp("random"), Size(), passing=False)


@pytest.fixture(scope="session")
def passing(tmp_path_factory: pytest.TempPathFactory) -> Networks:
    """Networks whose answer is the recording."""
    return opened(tmp_path_factory.mktemp("passing"), Size(channels=1, hidden=1), passing=True)

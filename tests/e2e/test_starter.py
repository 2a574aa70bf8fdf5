"""The starter beside published networks of its size, on photos it was never trained on."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest

from containers.background_remover.starter.contenders import Contender, published, starter
from containers.background_remover.starter.evaluation import cases, judge

pytestmark = pytest.mark.e2e


@pytest.fixture(scope="module")
def photos() -> Path:
    people = os.environ.get("MATTELINE_TEST_PHOTOS", "")
    if not people or not (Path(people).parent / "objects").is_dir():
        pytest.skip("MATTELINE_TEST_PHOTOS names no folder with objects/ beside it")
    return Path(people).parent


@pytest.fixture(scope="module")
def peers() -> list[Contender]:
    found = published(Path(os.environ.get("MATTELINE_WEIGHTS_MIRROR", "")))
    if len(found) < 2:
        pytest.skip("MATTELINE_WEIGHTS_MIRROR holds no SINet and PrismaNet")
    return found


def median(contender: Contender, folder: Path) -> float:
    return float(np.median([judge(contender, case).overlap for case in cases(folder)]))


@pytest.mark.parametrize(("folder", "least"), [("people", 0.8), ("objects", 0.8)])
def test_its_masks_agree_with_the_published_ones(photos: Path, folder: str, least: float) -> None:
    assert median(starter(), photos / folder) >= least


def test_it_is_better_on_objects_than_portrait_networks(
    photos: Path, peers: list[Contender]
) -> None:
    ours = median(starter(), photos / "objects")

    assert ours > max(median(peer, photos / "objects") for peer in peers)

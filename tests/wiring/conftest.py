"""One MiniStack for all wiring tests, with this checkout's stacks deployed once."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import count
from typing import Final

import pytest

from pipeline.declared.catalogue import load_catalogue
from tests.conftest import ROOT
from tests.small_models import stock_small_models
from tests.wiring.assembly import Template, synthesise
from tests.wiring.ministack import MiniStack, ministack
from tests.wiring.stage import Stage

PEOPLE_PREFIX: Final = "people/"  # of keys whose uploads start faces
_ACCOUNTS: Final = count(210_000_000_001)


@pytest.fixture(scope="session")
def stacks(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Template]:
    """All templates; the default model is the one that needs no download."""
    return synthesise(
        tmp_path_factory.mktemp("assembly"),
        default_models="starter",
        on_request=f"faces={PEOPLE_PREFIX}",
    )


@pytest.fixture(scope="session")
def stacks_with_batch(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Template]:
    """All templates of a stage with AWS Batch, whose machines have GPUs."""
    return synthesise(tmp_path_factory.mktemp("with-batch"), default_models="starter", batch="gpu")


@pytest.fixture(scope="session")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MiniStack]:
    """MiniStack with IAM enforced.

    Its weights mirror holds one file with wrong bytes, and small networks for recordings and faces.
    """
    folder = tmp_path_factory.mktemp("ministack")
    mirror, scratch = folder / "mirror", folder / "scratch"
    mirror.mkdir()
    scratch.mkdir()
    (weights,) = load_catalogue(ROOT).row("u2netp").files
    (mirror / weights.name).write_bytes(bytes(weights.bytes or 1))
    with ministack(
        folder / "ministack.log",
        AUTH="true",
        MATTELINE_CATALOGUE=str(stock_small_models(mirror)),
        MATTELINE_WEIGHTS_MIRROR=str(mirror),
        MATTELINE_SCRATCH=str(scratch),
        POWERTOOLS_TRACE_DISABLED="1",
    ) as running:
        yield running


@pytest.fixture(scope="session")
def stage(stacks: dict[str, Template], cloud: MiniStack) -> Stage:
    return Stage.deployed(stacks, cloud)


@pytest.fixture
def elsewhere(cloud: MiniStack) -> MiniStack:
    """An empty account."""
    return replace(cloud, account=str(next(_ACCOUNTS)))

"""New versions that start, answer, and are no good: the real hook finds each of them out."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest

from pipeline.declared.containers import load_containers
from pipeline.local.deployment import NAMES
from pipeline.local.worker import Function
from tests.conftest import ROOT
from tests.release.conftest import releasing
from tests.release.driver import EARLIER, Releases

VERSIONS = {row.name: row.version for row in load_containers(ROOT)}
SPOILED = {
    "edge-refiner": "tests.release.handlers.opaque",
    "media-inspector": "tests.release.handlers.mislabelled",
    "model-downloader": "tests.release.handlers.clumsy",
}


@pytest.fixture(scope="module")
def spoiled(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Releases]:
    with releasing(tmp_path_factory.mktemp("machines"), adjust=_spoil) as (releases, _):
        releases.release_something_before()
        yield releases


def _spoil(function: Function) -> Function:
    for container, handler in SPOILED.items():
        if function.name == NAMES.function(container):
            return replace(function, handler=handler)
    return function


@pytest.mark.parametrize(
    ("container", "said"),
    [
        ("edge-refiner", "pictures.0.artifact.uri is (176, 74, 40) at (0.5, 0.5), not within 4 of"),
        ("media-inspector", "it says that it is media-inspector 0.0.1, not media-inspector"),
        ("model-downloader", "ZeroDivisionError: as seen in production"),
    ],
)
def test_a_version_that_answers_wrongly_is_rolled_back_with_the_reason(
    spoiled: Releases, container: str, said: str
) -> None:
    version = VERSIONS[container]
    spoiled.push(container, version)

    execution = spoiled.release(container, version)

    assert (execution.status, execution.error) == ("FAILED", "RolledBack")
    assert f"smoke test of {NAMES.function(container)}: {said}" in execution.reason
    assert spoiled.stack(container).parameters == EARLIER
    assert "live" not in spoiled.row(container)


def test_a_first_release_has_no_version_before_it_and_is_not_tried(spoiled: Releases) -> None:
    """An alias that is made has no deployment, so that nobody asks the hook."""
    container = "media-inspector"
    spoiled.stack(container).parameters = {}
    spoiled.push(container, "9.0.0")
    asked = len(spoiled.aws.deployments)

    execution = spoiled.release(container, "9.0.0")

    assert execution.status == "SUCCEEDED", execution.reason
    assert len(spoiled.aws.deployments) == asked

"""Where jobs have GPUs, a version is released only with its GPU image, and both must pass."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.release.conftest import pass_smoke_tests, releasing
from tests.release.driver import Releases
from tests.release.evidence import evidence_of

CONTAINER = "diarizer"


@pytest.fixture(scope="module")
def releases(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Releases]:
    """A cloud as of a stage whose jobs have GPUs; its smoke tests pass without being run."""
    with releasing(tmp_path_factory.mktemp("gpus"), batch="gpu") as (releases, aws):
        aws.smoke_test = pass_smoke_tests(aws)
        yield releases


def test_both_images_are_judged_and_the_version_becomes_live(releases: Releases) -> None:
    own = releases.push(CONTAINER, "1.0.0")
    gpu = releases.push(CONTAINER, "1.0.0-gpu")

    execution = releases.release(CONTAINER, "1.0.0")

    assert execution.status == "SUCCEEDED", execution.cause
    assert releases.states_of(execution).count("JudgeImage") == 2
    for digest, tag in ((own, "1.0.0"), (gpu, "1.0.0-gpu")):
        verdict = releases.read_file(CONTAINER, digest, "verdict.json")
        assert (verdict["passed"], verdict["version"]) == (True, tag)
    assert releases.row(CONTAINER)["live"] == "1.0.0"


def test_a_gpu_image_that_does_not_pass_stops_the_release(releases: Releases) -> None:
    releases.push(CONTAINER, "2.0.0")
    gpu = releases.push(CONTAINER, "2.0.0-gpu")
    releases.aws.scan(gpu).findings = [{"name": "CVE-OF-CUDA", "severity": "CRITICAL"}]

    execution = releases.release(CONTAINER, "2.0.0")

    assert (execution.status, execution.error) == ("FAILED", "RejectedByGate")
    assert "CVE-OF-CUDA" in str(execution.cause)
    assert releases.row(f"{CONTAINER}@2.0.0") == {}


def test_evidence_of_the_other_image_does_not_pass(releases: Releases) -> None:
    releases.push(CONTAINER, "3.0.0")
    gpu = releases.push_image(CONTAINER, "3.0.0-gpu")
    releases.put_evidence(CONTAINER, gpu, evidence_of(CONTAINER, "3.0.0", gpu))

    execution = releases.release(CONTAINER, "3.0.0")

    assert (execution.status, execution.error) == ("FAILED", "RejectedByGate")
    assert f"provenance.json is of {CONTAINER} 3.0.0" in str(execution.cause)


@pytest.mark.parametrize(
    ("version", "action"), [("4.0.0", "deploy"), ("4.0.1", "rollback")], ids=["deploy", "rollback"]
)
def test_a_version_without_a_gpu_image_is_rejected(
    releases: Releases, version: str, action: str
) -> None:
    digest = releases.push(CONTAINER, version)
    releases.remember(CONTAINER, version, digest)

    execution = releases.release(CONTAINER, version, action=action)

    assert (execution.status, execution.error) == ("FAILED", "RejectedVersion")
    assert f"tagged {version}-gpu, which jobs with GPUs need" in str(execution.cause)


def test_a_container_without_jobs_needs_none(releases: Releases) -> None:
    releases.push("edge-refiner", "1.0.0")

    execution = releases.release("edge-refiner", "1.0.0")

    assert execution.status == "SUCCEEDED", execution.cause
    assert releases.states_of(execution).count("JudgeImage") == 1

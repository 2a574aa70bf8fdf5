"""The real hook rejects versions that start but answer wrongly."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from pipeline.declared.blueprint import Blueprint
from pipeline.declared.containers import load_containers
from pipeline.local.deployment import NAMES
from pipeline.local.worker import Function
from tests.conftest import ROOT
from tests.release.conftest import releasing
from tests.release.driver import EARLIER, Releases
from tests.release.release_aws import Deployment

VERSIONS = {row.name: row.version for row in load_containers(ROOT)}
DEFAULTS = Blueprint.read(ROOT, defaults=("starter",)).catalogue.defaults
FUNCTIONS = {NAMES.function(name, DEFAULTS.get(name)): name for name in VERSIONS}
FAULTS = [
    ("audio-reader", "no speech", "speech_s is 0.0, not between"),
    ("audio-tagger", "other model", "model is 'u2net', not 'efficientat-mn10-as'"),
    ("audio-tagger", "sound cut short", "metrics.duration_s is 1.0, not 2.0"),
    ("background-remover", "blank mask", "NoSubject: the model is confident about 0.00%"),
    ("background-remover", "full mask", "metrics.subject_coverage is 1.0, not between"),
    ("background-remover", "shifted mask", "metrics.subject_x is 0.5002"),
    ("background-remover", "other version", "it says that it is background-remover 0.0.1, not"),
    ("denoiser", "other model", "model is 'u2net', not 'deepfilternet3'"),
    ("diarizer", "other part", "part is 1, not 0"),
    ("diarizer", "sound cut short", "metrics.sound_s is 1.0, not 4.0"),
    ("edge-refiner", "blank cutout", "metrics.opaque_share is 0.0, not between"),
    ("edge-refiner", "opaque cutout", "metrics.opaque_share is 1.0, not between"),
    ("edge-refiner", "black cutout", "metrics.subject_brightness is 0.0, not between"),
    ("edge-refiner", "shifted cutout", "metrics.subject_x is 0.475"),
    ("edge-refiner", "half the size", "pictures.0.width is 160, not 320"),
    ("edge-refiner", "other checksum", "bytes with SHA-256 0000"),
    ("edge-refiner", "bug", "ZeroDivisionError: as seen in production"),
    ("http-api", "no description", "body.json.openapi is None, not '3.1.0'"),
    ("media-inspector", "not turned", "job.source.width is 320, not 240"),
    ("media-inspector", "photo rejected", "UnsupportedMedia: as seen in production"),
    ("media-inspector", "other version", "it says that it is media-inspector 0.0.1, not"),
    ("model-downloader", "nothing staged", "manifest.json.gone, which does not exist"),
    ("model-downloader", "other model", "model is 'u2net', not 'starter'"),
    ("model-downloader", "bug", "ZeroDivisionError: as seen in production"),
    ("transcriber", "bug", "ZeroDivisionError: as seen in production"),
    ("transcriber", "other version", "it says that it is transcriber 0.0.1, not"),
    ("transcript-writer", "no words", "words is 0, not 15"),
]


@dataclass(frozen=True)
class Faulty:
    """A cloud whose containers answer with the fault named in a file."""

    releases: Releases
    fault: Path

    def smoke_test(self, container: str, fault: str) -> dict[str, Any]:
        """Let the hook test a container's new version with a fault; return its verdict."""
        self.fault.write_text(fault)
        (function,) = (name for name, each in FUNCTIONS.items() if each == container)
        parameters = {**EARLIER, "ReleaseVersion": VERSIONS[container]}
        self.releases.stack(container).parameters = parameters
        deployment = f"d-{fault.replace(' ', '-')}"
        self.releases.aws.deployments[deployment] = Deployment(function, version="1")

        self.releases.aws.smoke_test(deployment)

        status = self.releases.aws.deployments[deployment].status
        verdict = self.releases.read_file(
            container, f"sha256:{parameters['ImageDigestHex']}", f"smoke/{function}.json"
        )
        assert (status == "Succeeded") == verdict["passed"]
        return verdict


@pytest.fixture(scope="module")
def faulty(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Faulty]:
    fault = tmp_path_factory.mktemp("fault") / "name"
    fault.write_text("none")

    def adjust(function: Function) -> Function:
        if function.name not in FUNCTIONS:
            return function
        folder = FUNCTIONS[function.name].replace("-", "_")
        environment = {**function.environment, "FAULT": str(fault)}
        return replace(function, handler=f"tests.release.faulty.{folder}", environment=environment)

    with releasing(tmp_path_factory.mktemp("machines"), adjust=adjust) as (releases, _):
        releases.stage(*DEFAULTS.values())
        releases.release_something_before()
        yield Faulty(releases, fault)


@pytest.mark.parametrize("container", VERSIONS)
def test_a_version_without_a_fault_passes(faulty: Faulty, container: str) -> None:
    verdict = faulty.smoke_test(container, "none")

    assert (verdict["passed"], verdict["tried"], verdict["said"]) == (True, True, "")


@pytest.mark.parametrize(("container", "fault", "said"), FAULTS)
def test_a_version_that_answers_wrongly_is_rejected_with_a_reason(
    faulty: Faulty, container: str, fault: str, said: str
) -> None:
    verdict = faulty.smoke_test(container, fault)

    assert not verdict["passed"]
    assert said in verdict["said"]


def test_a_release_of_a_faulty_version_is_rolled_back_with_the_reason(faulty: Faulty) -> None:
    container, releases = "edge-refiner", faulty.releases
    faulty.fault.write_text("shifted cutout")
    releases.stack(container).parameters = EARLIER
    releases.push(container, VERSIONS[container])

    execution = releases.release(container, VERSIONS[container])

    assert (execution.status, execution.error) == ("FAILED", "RolledBack")
    said = f"smoke test of {NAMES.function(container)}: metrics.subject_x is 0.475"
    assert said in execution.reason
    assert releases.stack(container).parameters == EARLIER
    assert "live" not in releases.row(container)


def test_a_first_release_is_not_smoke_tested(faulty: Faulty) -> None:
    """CodeDeploy makes no deployment for a new alias, so it calls no hook."""
    container, releases = "media-inspector", faulty.releases
    releases.stack(container).parameters = {}
    releases.push(container, "9.0.0")
    tested = len(releases.aws.deployments)

    execution = releases.release(container, "9.0.0")

    assert execution.status == "SUCCEEDED", execution.reason
    assert len(releases.aws.deployments) == tested

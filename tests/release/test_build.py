"""The shipped buildspec turns a tag into an image with evidence, and stops at every fault."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from pipeline.functions.release_gate import verification as gate
from pipeline.releases.evidence import OTHERS, PROVENANCE, SBOM, SELFTEST
from tests.release.building import (
    CONTAINER,
    KEY,
    REPOSITORY,
    REVISION,
    VERSION,
    Builder,
    running_builder,
)


@pytest.fixture
def builder(tmp_path: Path) -> Iterator[Builder]:
    with running_builder(tmp_path) as builder:
        yield builder


def test_a_tag_is_built_into_an_image_whose_evidence_passes_the_gate(builder: Builder) -> None:
    build = builder.build()

    assert build.succeeded, build.log
    digest = build.exported["IMAGE_DIGEST"]
    assert build.exported == {
        "CONTAINER_NAME": CONTAINER,
        "IMAGE_TAG": VERSION,
        "IMAGE_DIGEST": digest,
    }
    ids = [{"imageTag": VERSION}]
    images = builder.client("ecr").describe_images(repositoryName=REPOSITORY, imageIds=ids)
    assert images["imageDetails"][0]["imageDigest"] == digest
    digest_hex = digest.removeprefix("sha256:")
    files = {key.rsplit("/", 1)[1]: content for key, content in builder.evidence().items()}
    assert set(builder.evidence()) == {
        f"releases/{CONTAINER}/{digest_hex}/{name}" for name in files
    }
    assert _problems(builder, files, digest_hex) == []
    assert _listed(files[SBOM]) == _locked(builder)


def test_a_stage_with_gpus_pushes_two_images_and_each_has_evidence_of_its_own(
    builder: Builder,
) -> None:
    _add_gpu_lock(builder)

    build = builder.build(GPU="1")

    assert build.succeeded, build.log
    gpu = f"{VERSION}-gpu"
    digests = builder.digests()
    assert digests.keys() == {VERSION, gpu}
    assert build.exported["IMAGE_DIGEST"] == digests[VERSION]
    assert digests[VERSION] != digests[gpu]
    assert _problems(builder, _files(builder, digests[VERSION]), digests[VERSION][7:]) == []
    of_gpu = _files(builder, digests[gpu])
    assert _problems(builder, of_gpu, digests[gpu][7:], version=gpu) == []
    assert _listed(of_gpu[SBOM]) == {"onnxruntime-gpu"}
    (built,) = (each for each in builder.calls if "GPU=1" in each)
    assert f"--tag registry.test/{REPOSITORY}:{gpu}" in built


@pytest.mark.parametrize("fails", ["build", "run"])
@pytest.mark.parametrize("image", [rf":{VERSION}-gpu ", rf":{VERSION} "], ids=["gpu", "own"])
def test_neither_image_is_pushed_when_one_fails(builder: Builder, image: str, fails: str) -> None:
    _add_gpu_lock(builder)

    build = builder.build(GPU="1", FAILS=f"docker {fails} .*{image}")

    assert builder.called(f"docker {fails}")
    assert build.phases["build"] is False
    assert not builder.called("docker push")
    assert (builder.tags(), build.exported["IMAGE_DIGEST"]) == ([], "")


@pytest.mark.parametrize("image", [rf":{VERSION}-gpu$", rf":{VERSION}$"], ids=["gpu", "own"])
def test_a_build_fails_when_one_of_two_images_is_not_pushed(builder: Builder, image: str) -> None:
    _add_gpu_lock(builder)

    build = builder.build(GPU="1", FAILS=f"docker push .*{image}")

    assert build.phases["post_build"] is False
    assert build.exported["IMAGE_DIGEST"] == ""


def test_a_gpu_image_in_the_registry_stops_the_build_too(builder: Builder) -> None:
    builder.push_by_hand(signed=True, tag=f"{VERSION}-gpu")

    assert builder.build(GPU="1").phases == {"install": True, "pre_build": False}


def test_the_evidence_of_one_image_is_none_of_the_other(builder: Builder) -> None:
    build = builder.build()

    digest = build.exported["IMAGE_DIGEST"]
    problems = _problems(
        builder, _files(builder, digest), digest.removeprefix("sha256:"), version=f"{VERSION}-gpu"
    )
    assert len(problems) == 3  # provenance, bill of materials and self-test are of another tag


def test_a_rehearsal_does_everything_but_the_push(builder: Builder) -> None:
    builder.push_by_hand(signed=True)

    build = builder.build(REHEARSAL="1", CODEBUILD_WEBHOOK_TRIGGER="")

    assert build.succeeded, build.log
    assert builder.called("docker build")
    assert builder.called("docker run")
    assert build.exported["IMAGE_DIGEST"] == ""
    assert not builder.called("docker push")
    assert len(builder.evidence()) == 1  # the one from before


@pytest.mark.parametrize(
    ("signed", "advice"),
    [
        pytest.param(True, f"matteline containers bump {CONTAINER}", id="released"),
        pytest.param(False, "aws ecr batch-delete-image", id="unsigned"),
    ],
)
def test_a_version_in_the_registry_is_not_built_again(
    builder: Builder, advice: str, *, signed: bool
) -> None:
    builder.push_by_hand(signed=signed)

    again = builder.build()

    assert again.phases == {"install": True, "pre_build": False}
    assert advice in again.log
    assert not builder.called("make test")


def test_a_zip_has_the_commit_that_git_archive_wrote_into_it(builder: Builder) -> None:
    (builder.source / "buildspec" / "REVISION").write_text(f"{REVISION}\n")

    build = builder.build(CODEBUILD_RESOLVED_SOURCE_VERSION="", REHEARSAL="1")

    assert build.succeeded, build.log
    assert builder.called("docker build --provenance=false")
    assert f"REVISION={REVISION}" in next(each for each in builder.calls if "docker build" in each)


def test_sources_without_a_known_commit_are_not_built(builder: Builder) -> None:
    build = builder.build(CODEBUILD_RESOLVED_SOURCE_VERSION="")

    assert build.phases == {"install": True, "pre_build": False}
    assert "make the zip with git archive" in build.log


def test_a_tag_that_differs_from_the_manifest_stops_the_build_at_once(builder: Builder) -> None:
    build = builder.build(CODEBUILD_WEBHOOK_TRIGGER=f"tag/{CONTAINER}/v9.9.9")

    assert build.phases == {"install": True, "pre_build": False}
    expected = f"the tag is {CONTAINER}/v9.9.9, but the manifest needs {CONTAINER}/v{VERSION}"
    assert expected in build.log
    assert not builder.called("docker")


def test_content_that_changed_under_its_version_stops_the_build_at_once(builder: Builder) -> None:
    path = builder.source / "containers" / "edge_refiner" / "alpha.py"
    path.write_text(path.read_text() + "# changed\n")

    build = builder.build()

    assert build.phases == {"install": True, "pre_build": False}
    assert f"matteline containers bump {CONTAINER}" in build.log
    assert not builder.called("docker")


@pytest.mark.parametrize("fails", ["make test", "docker build", "docker run"])
def test_an_image_is_not_pushed_when_tests_build_or_self_test_fail(
    builder: Builder, fails: str
) -> None:
    build = builder.build(FAILS=fails)

    assert not build.succeeded
    assert "post_build" not in build.phases
    assert not builder.called("docker push")
    assert (builder.tags(), build.exported["IMAGE_DIGEST"]) == ([], "")


@pytest.mark.parametrize(
    "says",
    [
        pytest.param("all is well", id="prose"),
        pytest.param(json.dumps({"selftest": "media-inspector", "passed": True, "seen": {}}),
                     id="another-image"),
    ],
)  # fmt: skip
def test_an_image_whose_self_test_prints_no_verdict_of_its_own_is_not_pushed(
    builder: Builder, says: str
) -> None:
    build = builder.build(SAYS=says)

    assert build.phases["build"] is False
    assert not builder.called("docker push")


@pytest.mark.parametrize(
    "trouble",
    [
        pytest.param({"FAILS": "docker push"}, id="push"),
        pytest.param({"PROVENANCE_KEY": "alias/lost"}, id="signing"),
        pytest.param({"EVIDENCE_BUCKET": "lost"}, id="evidence"),
    ],
)
def test_a_failure_while_publishing_fails_the_build(
    builder: Builder, trouble: dict[str, str]
) -> None:
    build = builder.build(**trouble)

    assert build.phases["post_build"] is False
    assert build.exported["IMAGE_DIGEST"] == ""


def _add_gpu_lock(builder: Builder) -> None:
    lock = builder.source / "containers" / "edge_refiner" / "requirements-gpu.txt"
    lock.write_text(f"onnxruntime-gpu==1.0.0 --hash=sha256:{'0' * 64}\n")
    builder.lock()


def _listed(bill: bytes) -> set[str]:
    return {component["name"] for component in json.loads(bill)["components"]}


def _locked(builder: Builder) -> set[str]:
    lock = (builder.source / "containers" / "edge_refiner" / "requirements.txt").read_text()
    return {line.split("==")[0] for line in lock.splitlines() if "==" in line}


def _files(builder: Builder, digest: str) -> dict[str, bytes]:
    """Return the evidence of one image by name."""
    prefix = f"releases/{CONTAINER}/{digest.removeprefix('sha256:')}/"
    found = builder.evidence().items()
    return {key.removeprefix(prefix): each for key, each in found if key.startswith(prefix)}


def _problems(
    builder: Builder, files: dict[str, bytes], digest_hex: str, version: str = VERSION
) -> list[str]:
    """Return what the release gate finds wrong with the evidence."""
    of = {"container": CONTAINER, "version": version}
    envelope = gate.read_envelope(files[PROVENANCE])
    verified = builder.client("kms").verify(
        KeyId=KEY,
        Message=envelope.signed,
        MessageType="RAW",
        Signature=envelope.signatures[0],
        SigningAlgorithm="ECDSA_SHA_384",
    )
    others = {name: files[name] for name in OTHERS}
    return [
        *([] if verified["SignatureValid"] else ["the signature is not valid"]),
        *gate.statement_problems(envelope.statement, **of, digest_hex=digest_hex),
        *gate.checksum_problems(envelope.statement, others),
        *gate.sbom_problems(files[SBOM], **of),
        *gate.selftest_problems(files[SELFTEST], **of),
    ]

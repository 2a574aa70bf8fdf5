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


def _listed(bill: bytes) -> set[str]:
    return {component["name"] for component in json.loads(bill)["components"]}


def _locked(builder: Builder) -> set[str]:
    lock = (builder.source / "containers" / "edge_refiner" / "requirements.txt").read_text()
    return {line.split("==")[0] for line in lock.splitlines() if "==" in line}


def _problems(builder: Builder, files: dict[str, bytes], digest_hex: str) -> list[str]:
    """Return what the release gate finds wrong with the evidence."""
    of = {"container": CONTAINER, "version": VERSION}
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

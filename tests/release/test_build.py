"""The shipped buildspec from tag to evidence, and every place where it has to stop."""

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
    Shop,
    opened_shop,
)


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Shop]:
    with opened_shop(tmp_path) as shop:
        yield shop


def test_a_tag_becomes_an_image_with_evidence_that_the_gate_accepts(shop: Shop) -> None:
    build = shop.build()

    assert build.succeeded, build.log
    digest = build.exported["IMAGE_DIGEST"]
    assert build.exported == {
        "CONTAINER_NAME": CONTAINER,
        "IMAGE_TAG": VERSION,
        "IMAGE_DIGEST": digest,
    }
    ids = [{"imageTag": VERSION}]
    images = shop.client("ecr").describe_images(repositoryName=REPOSITORY, imageIds=ids)
    assert images["imageDetails"][0]["imageDigest"] == digest
    digest_hex = digest.removeprefix("sha256:")
    files = {key.rsplit("/", 1)[1]: content for key, content in shop.evidence().items()}
    assert set(shop.evidence()) == {f"releases/{CONTAINER}/{digest_hex}/{name}" for name in files}
    assert _problems(shop, files, digest_hex) == []
    assert _listed(files[SBOM]) == _locked(shop)


def test_a_rehearsal_of_a_released_version_does_all_but_the_push(shop: Shop) -> None:
    shop.push_by_hand(vouched=True)

    build = shop.build(REHEARSAL="1", CODEBUILD_WEBHOOK_TRIGGER="")

    assert build.succeeded, build.log
    assert shop.called("docker build")
    assert shop.called("docker run")
    assert build.exported["IMAGE_DIGEST"] == ""
    assert not shop.called("docker push")
    assert len(shop.evidence()) == 1  # what was there before


@pytest.mark.parametrize(
    ("vouched", "advice"),
    [
        pytest.param(True, f"matteline containers bump {CONTAINER}", id="released"),
        pytest.param(False, "aws ecr batch-delete-image", id="never-vouched-for"),
    ],
)
def test_a_version_in_the_registry_is_not_built_again(
    shop: Shop, advice: str, *, vouched: bool
) -> None:
    shop.push_by_hand(vouched=vouched)

    again = shop.build()

    assert again.phases == {"install": True, "pre_build": False}
    assert advice in again.log
    assert not shop.called("make test")


def test_the_commit_of_a_zip_is_the_one_that_git_archive_wrote_into_it(shop: Shop) -> None:
    (shop.source / "buildspec" / "REVISION").write_text(f"{REVISION}\n")

    build = shop.build(CODEBUILD_RESOLVED_SOURCE_VERSION="", REHEARSAL="1")

    assert build.succeeded, build.log
    assert shop.called("docker build --provenance=false")
    assert f"REVISION={REVISION}" in next(each for each in shop.calls if "docker build" in each)


def test_sources_of_no_known_commit_are_not_built(shop: Shop) -> None:
    build = shop.build(CODEBUILD_RESOLVED_SOURCE_VERSION="")

    assert build.phases == {"install": True, "pre_build": False}
    assert "make the zip with git archive" in build.log


def test_a_tag_that_is_not_the_manifests_version_stops_before_anything_is_built(shop: Shop) -> None:
    build = shop.build(CODEBUILD_WEBHOOK_TRIGGER=f"tag/{CONTAINER}/v9.9.9")

    assert build.phases == {"install": True, "pre_build": False}
    assert f"the tag {CONTAINER}/v9.9.9 is not {CONTAINER}/v{VERSION}" in build.log
    assert not shop.called("docker")


def test_content_that_changed_under_its_version_stops_before_anything_is_built(shop: Shop) -> None:
    path = shop.source / "containers" / "edge_refiner" / "alpha.py"
    path.write_text(path.read_text() + "# changed\n")

    build = shop.build()

    assert build.phases == {"install": True, "pre_build": False}
    assert f"matteline containers bump {CONTAINER}" in build.log
    assert not shop.called("docker")


@pytest.mark.parametrize("fails", ["make test", "docker build", "docker run"])
def test_what_fails_is_never_pushed(shop: Shop, fails: str) -> None:
    build = shop.build(FAILS=fails)

    assert not build.succeeded
    assert "post_build" not in build.phases
    assert not shop.called("docker push")
    assert (shop.tags(), build.exported["IMAGE_DIGEST"]) == ([], "")


@pytest.mark.parametrize(
    "says",
    [
        pytest.param("all is well", id="prose"),
        pytest.param(json.dumps({"selftest": "media-inspector", "passed": True, "seen": {}}),
                     id="another-image"),
    ],
)  # fmt: skip
def test_an_image_without_a_verdict_of_its_own_is_never_pushed(shop: Shop, says: str) -> None:
    build = shop.build(SAYS=says)

    assert build.phases["build"] is False
    assert not shop.called("docker push")


@pytest.mark.parametrize(
    "trouble",
    [
        pytest.param({"FAILS": "docker push"}, id="push"),
        pytest.param({"PROVENANCE_KEY": "alias/lost"}, id="signing"),
        pytest.param({"EVIDENCE_BUCKET": "lost"}, id="evidence"),
    ],
)
def test_a_failure_while_publishing_fails_the_build(shop: Shop, trouble: dict[str, str]) -> None:
    build = shop.build(**trouble)

    assert build.phases["post_build"] is False
    assert build.exported["IMAGE_DIGEST"] == ""


def _listed(bill: bytes) -> set[str]:
    return {component["name"] for component in json.loads(bill)["components"]}


def _locked(shop: Shop) -> set[str]:
    lock = (shop.source / "containers" / "edge_refiner" / "requirements.txt").read_text()
    return {line.split("==")[0] for line in lock.splitlines() if "==" in line}


def _problems(shop: Shop, files: dict[str, bytes], digest_hex: str) -> list[str]:
    """What the release's own gate finds wrong with the evidence."""
    of = {"container": CONTAINER, "version": VERSION}
    envelope = gate.read_envelope(files[PROVENANCE])
    verified = shop.client("kms").verify(
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

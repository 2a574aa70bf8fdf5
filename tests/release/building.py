"""Builds one container with the shipped buildspec, in a copy of the sources, on a local AWS."""

from __future__ import annotations

import os
import shutil
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from moto.server import ThreadedMotoServer

from pipeline.declared.containers import load_container
from pipeline.local.cloud import CREDENTIALS, make_client
from pipeline.local.deployment import NAMES
from pipeline.releases import content_lock
from pipeline.releases.evidence import PROVENANCE
from tests.conftest import ROOT
from tests.release import stand_ins
from tests.release.codebuild import Build, read_buildspec, run_build

CONTAINER: Final = "edge-refiner"
VERSION: Final = load_container(ROOT / "containers" / "edge_refiner").version
REPOSITORY: Final = NAMES.repository(CONTAINER)
REVISION: Final = "5f0c1f4b6e0d7c0b3a0f5f8f0f2c9a1d3e4b5a69"
BUILD: Final = "arn:aws:codebuild:us-east-1:123456789012:build/matteline-build:1"
EVIDENCE: Final = NAMES.bucket("evidence")
KEY: Final = NAMES.provenance_key
CONTAINER_BUILDSPEC: Final = ROOT / "buildspec" / "container.yml"


@dataclass
class Builder:
    """A copy of the sources, which a test may change, and the AWS at `endpoint` to build with."""

    source: Path
    tools: Path
    endpoint: str
    builds: int = 0

    def client(self, service: str) -> Any:
        return make_client(service, self.endpoint)

    def build(self, **variables: str) -> Build:
        """Run one build, by default started by the tag of the manifest's version."""
        self.builds += 1
        results = self.source.parent / f"results-{self.builds}"
        results.mkdir()
        buildspec = read_buildspec(CONTAINER_BUILDSPEC.read_text())
        environment = {**self._environment(), **variables}
        return run_build(buildspec, source=self.source, environment=environment, results=results)

    @property
    def calls(self) -> list[str]:
        path = self.source / "calls"
        return path.read_text().splitlines() if path.exists() else []

    def called(self, beginning: str) -> bool:
        return any(call.startswith(beginning) for call in self.calls)

    def evidence(self) -> dict[str, bytes]:
        """Return every object of the evidence bucket, by key."""
        s3 = self.client("s3")
        listed = s3.list_objects_v2(Bucket=EVIDENCE).get("Contents", [])
        return {
            each["Key"]: s3.get_object(Bucket=EVIDENCE, Key=each["Key"])["Body"].read()
            for each in listed
        }

    def push_by_hand(self, *, signed: bool, tag: str = VERSION) -> None:
        """Push the manifest's version to the registry, with or without its provenance."""
        image = self.client("ecr").put_image(
            repositoryName=REPOSITORY, imageTag=tag, imageManifest=stand_ins.manifest(tag)
        )["image"]
        if signed:
            digest_hex = image["imageId"]["imageDigest"].removeprefix("sha256:")
            key = f"releases/{CONTAINER}/{digest_hex}/{PROVENANCE}"
            self.client("s3").put_object(Bucket=EVIDENCE, Key=key, Body=b"{}")

    def tags(self) -> list[str]:
        return [*self.digests()]

    def digests(self) -> dict[str, str]:
        """Return the digest of each image in the registry, by tag."""
        listed = self.client("ecr").list_images(repositoryName=REPOSITORY)["imageIds"]
        return {each["imageTag"]: each["imageDigest"] for each in listed}

    def lock(self) -> None:
        """Record the content of the versions anew, after a change of the sources."""
        (self.source / content_lock.LOCK).unlink()
        content_lock.lock(self.source)

    def _environment(self) -> dict[str, str]:
        return {
            **CREDENTIALS,
            "AWS_ENDPOINT_URL": self.endpoint,
            "PATH": f"{self.tools}{os.pathsep}{os.environ['PATH']}",
            "PYTHONPATH": f"{self.source}{os.pathsep}{ROOT}",
            "CALLS": str(self.source / "calls"),
            "CONTAINER": CONTAINER,
            "REPOSITORY": f"registry.test/{REPOSITORY}",
            "EVIDENCE_BUCKET": EVIDENCE,
            "PROVENANCE_KEY": KEY,
            "CODEBUILD_WEBHOOK_TRIGGER": f"tag/{CONTAINER}/v{VERSION}",
            "CODEBUILD_RESOLVED_SOURCE_VERSION": REVISION,
            "CODEBUILD_BUILD_ARN": BUILD,
        }


def builder_at(endpoint: str, folder: Path) -> Builder:
    """Return a builder for an AWS that is running already."""
    return Builder(_copied(folder / "source"), stand_ins.install(folder / "bin"), endpoint)


@contextmanager
def running_builder(folder: Path) -> Iterator[Builder]:
    """Start a builder with its own AWS: one repository, one key, one bucket."""
    server = ThreadedMotoServer("127.0.0.1", port=0, verbose=False)
    server.start()
    try:
        endpoint = "http://{}:{}".format(*server.get_host_and_port())
        reset = f"{endpoint}/moto-api/reset"
        urllib.request.urlopen(reset, data=b"", timeout=10).close()  # noqa: S310 - our own server
        builder = builder_at(endpoint, folder)
        builder.client("ecr").create_repository(
            repositoryName=REPOSITORY, imageTagMutability="IMMUTABLE"
        )
        builder.client("s3").create_bucket(Bucket=EVIDENCE)
        kms = builder.client("kms")
        key = kms.create_key(KeySpec="ECC_NIST_P384", KeyUsage="SIGN_VERIFY")["KeyMetadata"]
        kms.create_alias(AliasName=KEY, TargetKeyId=key["KeyId"])
        yield builder
    finally:
        server.stop()


def _copied(source: Path) -> Path:
    """Copy what a build reads from the repository, with the environment of `make setup`."""
    ignored = shutil.ignore_patterns("__pycache__", content_lock.LOCK.name)
    for name in ("buildspec", "containers", "pipeline", "state_machines"):
        shutil.copytree(ROOT / name, source / name, ignore=ignored)
    (source / ".venv").symlink_to(ROOT / ".venv")
    content_lock.lock(source)
    return source

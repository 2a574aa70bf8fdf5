"""What to type next follows from the state of a stage, also when nothing is released."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, Final

import boto3
import pytest
from botocore.loaders import create_loader
from click.testing import CliRunner
from moto import mock_aws

from pipeline.cli import doctor as command
from pipeline.declared.blueprint import Blueprint
from pipeline.declared.names import Names, stage_names
from pipeline.operations.site import Site
from pipeline.operations.stage.deployment import Deployment
from pipeline.operations.stage.next_steps import next_steps
from tests.conftest import ROOT

NAMES: Final[Names] = stage_names("dev", account="123456789012", region="us-east-1")
BLUEPRINT: Final = Blueprint.read(ROOT)
VERSIONS: Final = {each.name: each.version for each in BLUEPRINT.containers}
LOADER: Final = create_loader()  # of AWS's descriptions, which take long to read
ADDRESSES: Final = {"web": ("ApiAddress", "https://api.example.com")}


@pytest.fixture
def site(monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    monkeypatch.setenv("AWS_DEFAULT_REGION", NAMES.region)
    with mock_aws():
        session = boto3.Session("key", "secret", region_name=NAMES.region)
        session._session.register_component("data_loader", LOADER)
        yield Site(NAMES, session, ())


def steps(site: Site) -> str:
    return "\n".join(next_steps(Deployment(site, BLUEPRINT, {})))


def deploy(site: Site) -> None:
    for name in Deployment(site, BLUEPRINT, {}).expected_stacks:
        template: dict[str, Any] = {"Resources": {"Topic": {"Type": "AWS::SNS::Topic"}}}
        if (word := name.rpartition("-")[2]) in ADDRESSES:
            output, address = ADDRESSES[word]
            template["Outputs"] = {output: {"Value": address}}
        site.client("cloudformation").create_stack(
            StackName=name, TemplateBody=json.dumps(template)
        )


def release(site: Site, **versions: str) -> None:
    for name, version in versions.items():
        site.client("ssm").put_parameter(
            Name=NAMES.release_record(name), Type="String",
            Value=json.dumps({"version": version, "digest": "sha256:0"}),
        )  # fmt: skip


def test_what_is_not_deployed_is_deployed_first(site: Site) -> None:
    told = steps(site)

    assert "stacks are missing, such as matteline-registry" in told
    assert "\n  make deploy STAGE=dev" in told


def test_after_the_first_deployment_sources_are_uploaded_and_all_containers_built(
    site: Site,
) -> None:
    deploy(site)

    told = steps(site)

    assert "dev is deployed, and nothing is released." in told
    assert f"  for container in {' '.join(VERSIONS)}; do" in told
    source = "s3://matteline-dev-evidence-123456789012-us-east-1/source/matteline.zip"
    assert f"  aws s3 cp matteline.zip {source}" in told
    assert "--project-name matteline-dev-build-$container" in told
    assert "aws s3 cp cat.jpg s3://matteline-dev-ingest-123456789012-us-east-1/" in told
    assert "HTTP API: https://api.example.com (answers once http-api is released)" in told


def test_only_what_is_missing_or_older_is_built(site: Site) -> None:
    deploy(site)
    release(site, **VERSIONS | {"edge-refiner": "0.0.1"})
    site.client("ssm").delete_parameter(Name=NAMES.release_record("denoiser"))

    told = steps(site)

    assert f"2 of {len(VERSIONS)} containers have no live version from here:" in told
    assert "  for container in denoiser edge-refiner; do" in told
    assert "cat.jpg" not in told


def test_nothing_is_to_be_done_for_what_is_up_to_date(site: Site) -> None:
    deploy(site)
    release(site, **VERSIONS)

    told = steps(site)

    assert f"dev is up to date: {len(VERSIONS)} containers are live" in told
    assert "start-build" not in told
    assert "HTTP API: https://api.example.com\n" in told
    assert "matteline doctor --stage dev" in told


def test_with_a_code_connection_tags_are_pushed(site: Site) -> None:
    deploy(site)
    versions = {name: each for name, each in VERSIONS.items() if name != "denoiser"}
    release(site, **versions)
    site.client("codebuild").create_project(
        name=NAMES.build_project("denoiser"),
        source={"type": "GITHUB", "location": "https://github.com/o/r.git"},
        artifacts={"type": "NO_ARTIFACTS"},
        environment={
            "type": "LINUX_CONTAINER",
            "image": "i",
            "computeType": "BUILD_GENERAL1_SMALL",
        },
        serviceRole="arn:aws:iam::123456789012:role/build",
    )

    told = steps(site)

    assert f"  git tag denoiser/v{VERSIONS['denoiser']}\n  git push --tags" in told
    assert "start-build" not in told


def test_the_command_prints_the_steps(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(command, "_deployment", lambda _: Deployment(site, BLUEPRINT, {}))

    done = CliRunner().invoke(command.next, ["--stage", "dev"])

    assert (done.exit_code, "make deploy STAGE=dev" in done.output) == (0, True)


def test_the_local_cloud_has_no_next_step() -> None:
    done = CliRunner().invoke(command.next, [])

    assert (done.exit_code, "pass --stage NAME" in done.output) == (2, True)


def test_make_deploy_ends_with_the_next_step() -> None:
    recipe = (ROOT / "Makefile").read_text().partition("\ndeploy:")[2].partition("\n\n")[0]

    assert "matteline next --stage $(STAGE)" in recipe.splitlines()[-1]

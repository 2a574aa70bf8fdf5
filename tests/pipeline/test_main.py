"""A command uses the user's AWS settings only if it names a stage on AWS."""

from __future__ import annotations

import os

import boto3
import click
import pytest

from pipeline.__main__ import AWS_COMMANDS, isolate, name_region, reaches_aws
from pipeline.cli.command import matteline


@pytest.mark.parametrize(
    ("words", "variables", "expected"),
    [
        ("jobs list --stage dev", {}, True),
        ("--verbose jobs list --stage=dev", {}, True),
        ("quarantine release x", {"MATTELINE_STAGE": "dev"}, True),
        ("backfill start --stage prod --dry-run", {}, True),
        ("models stage u2netp --stage dev", {}, True),
        ("keys create shop --stage dev", {}, True),
        ("quotas list --stage dev", {}, True),
        ("collections list --stage dev", {}, True),
        ("faces find a.jpg --in staff --stage dev", {}, True),
        ("faces find a.jpg --in staff", {"MATTELINE_STAGE": "dev"}, True),
        ("faces find a.jpg --among photos", {"MATTELINE_STAGE": "dev"}, False),
        ("faces a.jpg -o find", {"MATTELINE_STAGE": "dev"}, False),
        ("doctor --stage dev", {}, True),
        ("next --stage dev", {}, True),
        ("doctor", {}, False),
        ("models stage u2netp", {}, False),
        ("jobs list", {}, False),
        ("jobs list --stage local", {"MATTELINE_STAGE": "dev"}, False),
        ("run jobs --stage dev", {}, False),
        ("up", {"MATTELINE_STAGE": "dev"}, False),
    ],
)
def test_only_operating_commands_with_a_stage_reach_aws(
    words: str, variables: dict[str, str], *, expected: bool
) -> None:
    assert reaches_aws(words.split(), variables) is expected


def test_every_command_that_takes_a_stage_keeps_the_users_aws_settings() -> None:
    staged = {name for name, command in matteline.commands.items() if _takes_a_stage(command)}

    assert staged == {name.split()[0] for name in AWS_COMMANDS}


def _takes_a_stage(command: click.Command) -> bool:
    if isinstance(command, click.Group):
        return any(map(_takes_a_stage, command.commands.values()))
    return any("--stage" in option.opts for option in command.params)


def test_the_endpoint_stays_known_and_other_aws_settings_are_removed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name in [name for name in os.environ if name.startswith(("AWS_", "MATTELINE_"))]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:8431")
    monkeypatch.setenv("AWS_PROFILE", "nobody")
    monkeypatch.setenv("MATTELINE_ENDPOINT_URL", "")
    monkeypatch.delenv("MATTELINE_ENDPOINT_URL")

    isolate(os.environ)

    assert os.environ["MATTELINE_ENDPOINT_URL"] == "http://127.0.0.1:8431"
    assert "AWS_PROFILE" not in os.environ
    assert "AWS_ENDPOINT_URL" not in os.environ


@pytest.mark.parametrize(
    ("named", "expected"),
    [
        pytest.param({"AWS_REGION": "eu-central-1"}, "eu-central-1", id="only-aws-region"),
        pytest.param(
            {"AWS_REGION": "eu-central-1", "AWS_DEFAULT_REGION": "us-east-1"},
            "eu-central-1",
            id="it-comes-first",
        ),
        pytest.param({"AWS_DEFAULT_REGION": "us-east-1"}, "us-east-1", id="only-the-default"),
    ],
)
def test_the_region_is_that_of_other_clients(
    monkeypatch: pytest.MonkeyPatch, named: dict[str, str], expected: str
) -> None:
    for name in ("AWS_REGION", "AWS_DEFAULT_REGION", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    for name, region in named.items():
        monkeypatch.setenv(name, region)

    name_region(os.environ)

    assert boto3.Session().region_name == expected

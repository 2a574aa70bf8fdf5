"""A running cloud with the real release machine and zipped functions."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from pipeline.compute import BatchMachines
from pipeline.declared.blueprint import Blueprint
from pipeline.declared.containers import load_containers
from pipeline.local.cloud import LocalCloud, local_cloud
from pipeline.local.deployment import NAMES
from pipeline.local.worker import Function
from tests.conftest import ROOT
from tests.hasty import hasty
from tests.release.driver import Releases
from tests.release.moto_releases import release_services
from tests.release.release_aws import ReleaseAws, Stack
from tests.small_models import stock_small_models

HOOK = NAMES.operation("smoke-hook", hook=True)
CONTAINERS = tuple(each.name for each in load_containers(ROOT))


@pytest.fixture(scope="module")
def releases(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Releases]:
    """A cloud whose smoke tests pass without being run."""
    with releasing(tmp_path_factory.mktemp("machines")) as (releases, aws):
        aws.smoke_test = pass_smoke_tests(aws)
        yield releases


@contextmanager
def releasing(
    folder: Path,
    *,
    adjust: Callable[[Function], Function] = lambda function: function,
    batch: BatchMachines = "off",
) -> Iterator[tuple[Releases, ReleaseAws]]:
    """Start a cloud for releases; `aws.smoke_test` calls the real hook unless replaced.

    Models of recordings are small ones.
    """
    mirror, machines = folder / "mirror", folder / "machines"
    mirror.mkdir()
    machines.mkdir()
    overlays = (stock_small_models(mirror),)
    blueprint = Blueprint.read(ROOT, defaults=("starter",), overlays=overlays).with_batch(batch)
    with ExitStack() as stack:
        cloud = stack.enter_context(
            local_cloud(
                hasty(blueprint, machines, wait_s=0), weights_mirror=str(mirror), adjust=adjust
            )
        )
        aws = ReleaseAws(smoke_test=lambda deployment: _smoke_test(cloud, deployment))
        stack.enter_context(release_services(aws))
        yield _prepared(cloud, aws), aws


def _smoke_test(cloud: LocalCloud, deployment: str) -> None:
    event = {"DeploymentId": deployment, "LifecycleEventHookExecutionId": f"hook-{deployment}"}
    cloud.client("lambda").invoke(FunctionName=HOOK, Payload=json.dumps(event))


def pass_smoke_tests(aws: ReleaseAws) -> Callable[[str], None]:
    """Return a smoke test that always passes, for tests of something else."""

    def smoke_test(deployment: str) -> None:
        aws.deployments[deployment].status = "Succeeded"

    return smoke_test


def _prepared(cloud: LocalCloud, aws: ReleaseAws) -> Releases:
    """Create what exists before the first release: key, repositories and stacks."""
    kms = cloud.client("kms")
    key = kms.create_key(KeySpec="ECC_NIST_P384", KeyUsage="SIGN_VERIFY")["KeyMetadata"]["KeyId"]
    kms.create_alias(AliasName=NAMES.provenance_key, TargetKeyId=key)
    for container in CONTAINERS:
        cloud.client("ecr").create_repository(
            repositoryName=NAMES.repository(container), imageTagMutability="IMMUTABLE"
        )
        stack = NAMES.function_stack(container)
        aws.stacks[stack] = Stack(stack, functions=[NAMES.function(container)])
    return Releases(cloud, aws, _listener(cloud))


def _listener(cloud: LocalCloud) -> str:
    sqs, events = cloud.client("sqs"), cloud.client("events")
    queue: str = sqs.create_queue(QueueName="announced")["QueueUrl"]
    pattern = {"source": ["matteline"], "detail-type": [{"prefix": "Container "}]}
    events.put_rule(Name="announced", EventPattern=json.dumps(pattern))
    arn = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])["Attributes"]
    events.put_targets(Rule="announced", Targets=[{"Id": "1", "Arn": arn["QueueArn"]}])
    return queue

"""Checks of a stage say what it lacks and what to do."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

import pytest

from pipeline.compute import LANES
from pipeline.declared.names import stage_names
from pipeline.operations.stage.deployment import Deployment
from pipeline.operations.stage_tuning import MARK
from tests.pipeline.operations.doctor.stages import (
    BLUEPRINT,
    NAMES,
    deploy,
    look,
    release,
    stubbed,
)
from tests.pipeline.operations.test_stage_tuning import zipped


def test_a_stage_that_is_not_there_is_deployed_next(stage: Deployment) -> None:
    found = look("stacks", stage)

    assert (found.verdict, found.do) == ("warn", "Run `make deploy`.")


@pytest.mark.parametrize(
    ("status", "verdict", "says"),
    [
        pytest.param("CREATE_COMPLETE", "ok", "complete", id="complete"),
        pytest.param("ROLLBACK_COMPLETE", "fail", "never created", id="never-created"),
        pytest.param("UPDATE_ROLLBACK_FAILED", "fail", "UPDATE_ROLLBACK_FAILED", id="failed"),
        pytest.param("UPDATE_IN_PROGRESS", "warn", "changing: matteline-dev-web", id="changing"),
    ],
)
def test_the_state_of_each_stack_counts(
    stage: Deployment, status: str, verdict: str, says: str
) -> None:
    deploy(stage, web=status)

    found = look("stacks", stage)

    assert found.verdict == verdict
    assert says in found.found


def test_a_missing_stack_is_named(stage: Deployment) -> None:
    deploy(stage, "matteline-dev-web")

    found = look("stacks", stage)

    assert (found.verdict, found.found) == ("fail", "missing: matteline-dev-web")


def test_settings_say_which_stacks_there_are(stage: Deployment) -> None:
    asked = replace(stage, settings={"page": True}, blueprint=BLUEPRINT.with_batch("cpu"))

    more = {*asked.expected_stacks} - {*stage.expected_stacks}
    assert more == {"matteline-dev-page", "matteline-dev-batch"}


def test_leftovers_of_a_destroyed_stage_are_counted(stage: Deployment) -> None:
    client = stage.site.client
    client("s3").create_bucket(Bucket=NAMES.bucket("ingest"))
    client("s3").create_bucket(Bucket="matteline-prod-ingest")
    client("logs").create_log_group(logGroupName="/aws/lambda/matteline-dev-edge-refiner")
    key = client("kms").create_key()["KeyMetadata"]["KeyId"]
    client("kms").create_alias(AliasName=NAMES.data_key(), TargetKeyId=key)

    found = look("leftovers", stage)

    assert found.verdict == "warn"
    kept = "keys (1), aliases of keys (1), buckets (1), log groups (1)"
    assert found.found == f"a destroyed stage left {kept}"


def test_a_stage_that_is_there_has_no_leftovers(stage: Deployment) -> None:
    deploy(stage)
    stage.site.client("s3").create_bucket(Bucket=NAMES.bucket("ingest"))

    assert look("leftovers", stage).verdict == "ok"


def test_temporary_versions_of_tuning_are_found(stage: Deployment) -> None:
    client = stage.site.client
    role = client("iam").create_role(RoleName="r", AssumeRolePolicyDocument="{}")["Role"]["Arn"]
    function = next(iter(BLUEPRINT.functions))
    own, others = (
        function.name(stage_names(each, account=NAMES.account, region=NAMES.region))
        for each in ("dev", "dev-2")
    )
    for name in (own, others):
        client("lambda").create_function(
            FunctionName=name, Runtime="python3.13", Handler="a.b", Role=role,
            Code={"ZipFile": zipped()},
        )  # fmt: skip
    assert look("tuning", stage).verdict == "ok"
    client("lambda").publish_version(FunctionName=others, Description=MARK)
    assert look("tuning", stage).verdict == "ok"
    client("lambda").publish_version(FunctionName=own, Description=MARK)

    found = look("tuning", stage)

    assert (found.verdict, own in found.found, others in found.found) == ("warn", True, False)


VERSIONS: Final = {each.name: each.version for each in BLUEPRINT.containers}


@pytest.mark.parametrize(
    ("versions", "verdict"),
    [
        pytest.param({}, "warn", id="nothing"),
        pytest.param({"edge-refiner": VERSIONS["edge-refiner"]}, "fail", id="one"),
        pytest.param(VERSIONS, "ok", id="all"),
        pytest.param({**VERSIONS, "edge-refiner": "0.0.1"}, "warn", id="an-older-one"),
    ],
)
def test_live_versions_are_compared_with_the_checkout(
    stage: Deployment, versions: dict[str, str], verdict: str
) -> None:
    release(stage, versions)

    assert look("releases", stage).verdict == verdict


def test_weights_of_default_models_are_looked_for(stage: Deployment) -> None:
    bucket, s3 = NAMES.bucket("models"), stage.site.client("s3")
    s3.create_bucket(Bucket=bucket)
    rows = [BLUEPRINT.catalogue.row(name) for name in BLUEPRINT.catalogue.defaults.values()]
    for row in rows[1:]:
        s3.put_object(Bucket=bucket, Key=row.weights_key)

    found = look("weights", stage)

    assert found.verdict == "warn"
    assert found.do == f"matteline models stage {rows[0].name} --stage dev"
    s3.put_object(Bucket=bucket, Key=rows[0].weights_key)
    assert look("weights", stage).verdict == "ok"


@pytest.mark.parametrize(
    ("queues", "verdict"),
    [
        pytest.param([], "fail", id="none"),
        pytest.param([("ENABLED", "VALID")], "fail", id="one-missing"),
        pytest.param(2 * [("ENABLED", "VALID")], "ok", id="ready"),
        pytest.param([("ENABLED", "VALID"), ("ENABLED", "INVALID")], "fail", id="invalid"),
        pytest.param([("DISABLED", "VALID"), ("ENABLED", "VALID")], "fail", id="disabled"),
    ],
)
def test_queues_take_jobs(stage: Deployment, queues: list[tuple[str, str]], verdict: str) -> None:
    told = [
        {
            "jobQueueName": f"matteline-dev-cpu-{lane}", "jobQueueArn": "arn", "state": state,
            "status": status, "priority": 1, "computeEnvironmentOrder": [],
        }
        for lane, (state, status) in zip(LANES, queues, strict=False)
    ]  # fmt: skip
    stubbed(stage, "batch", describe_job_queues={"jobQueues": told})

    found = look("AWS Batch queues", replace(stage, blueprint=BLUEPRINT.with_batch("cpu")))

    assert found.verdict == verdict

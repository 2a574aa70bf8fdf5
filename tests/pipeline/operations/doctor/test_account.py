"""Checks of an account say what is missing and what to do."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any, Final

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError, NoCredentialsError
from botocore.stub import Stubber

from pipeline.operations.doctor.account_checks import check_credentials
from pipeline.operations.stage.deployment import Deployment
from tests.pipeline.operations.doctor.stages import (
    ACCOUNT,
    BLUEPRINT,
    look,
    quotas,
    stubbed,
)


def test_a_new_account_is_told_to_bootstrap(stage: Deployment) -> None:
    found = look("bootstrap", stage)

    assert found.verdict == "fail"
    assert "npx cdk bootstrap aws://123456789012/us-east-1" in found.do


@pytest.mark.parametrize(
    ("version", "verdict"),
    [pytest.param("5", "fail", id="old"), pytest.param("28", "ok", id="new")],
)
def test_the_version_of_the_bootstrap_counts(stage: Deployment, version: str, verdict: str) -> None:
    name = "/cdk-bootstrap/hnb659fds/version"
    stage.site.client("ssm").put_parameter(Name=name, Type="String", Value=version)

    assert look("bootstrap", stage).verdict == verdict


@pytest.mark.parametrize(
    ("limit", "verdict"), [pytest.param(10, "warn", id="new"), pytest.param(1000, "ok", id="usual")]
)
def test_a_new_account_has_few_concurrent_calls(
    stage: Deployment, limit: int, verdict: str
) -> None:
    told = {"AccountLimit": {"ConcurrentExecutions": limit}}
    stubbed(stage, "lambda", get_account_settings=told)

    found = look("Lambda concurrency", stage)

    assert found.verdict == verdict
    assert ("L-B99A9384" in found.do) is (verdict == "warn")


def test_quotas_of_step_functions_are_compared_with_the_defaults(stage: Deployment) -> None:
    quotas(stage, "states", {"Open executions": 100.0, "Rate": 5.0}, **{"Open executions": 1e6})

    found = look("Step Functions quotas", stage)

    assert (found.verdict, found.found) == ("warn", "Open executions: 100 instead of 1,000,000")


def test_usual_quotas_of_step_functions_are_right(stage: Deployment) -> None:
    quotas(stage, "states", {"Open executions": 1e6})

    assert look("Step Functions quotas", stage).verdict == "ok"


@pytest.mark.parametrize(
    ("values", "verdict"),
    [
        pytest.param({"Linux/Medium": 0.0}, "fail", id="none"),
        pytest.param({"Linux/Medium": 5.0}, "ok", id="some"),
        pytest.param({"ARM/Small": 5.0}, "unknown", id="not-listed"),
    ],
)
def test_an_account_may_have_no_builds(
    stage: Deployment, values: dict[str, float], verdict: str
) -> None:
    named = {
        f"Concurrently running builds for {name} environment": value
        for name, value in values.items()
    }
    quotas(stage, "codebuild", named)

    assert look("CodeBuild builds", stage).verdict == verdict


def test_vcpus_do_not_matter_without_batch(stage: Deployment) -> None:
    assert look("AWS Batch vCPUs", stage).verdict == "ok"
    assert look("AWS Batch queues", stage).verdict == "ok"


@pytest.mark.parametrize(
    ("values", "verdict", "says"),
    [
        pytest.param((64.0, 64.0, 8.0, 8.0), "ok", "", id="enough"),
        pytest.param((64.0, 64.0, 0.0, 0.0), "fail", "G and VT", id="no-gpus"),
        pytest.param((1.0, 64.0, 8.0, 8.0), "fail", "Standard instances", id="less-than-a-job"),
    ],
)
def test_jobs_need_vcpus_of_each_kind(
    stage: Deployment, values: tuple[float, ...], verdict: str, says: str
) -> None:
    stub = Stubber(stage.site.client("service-quotas"))
    for value in values:
        stub.add_response("get_service_quota", {"Quota": {"Value": value}})
    stub.activate()

    found = look("AWS Batch vCPUs", replace(stage, blueprint=BLUEPRINT.with_batch("gpu")))

    assert found.verdict == verdict
    assert says in found.do


def test_a_quota_that_was_never_changed_has_its_default(stage: Deployment) -> None:
    stub = Stubber(stage.site.client("service-quotas"))
    for _ in range(2):
        stub.add_client_error("get_service_quota", "NoSuchResourceException")
        stub.add_response("get_aws_default_service_quota", {"Quota": {"Value": 32.0}})
    stub.activate()

    found = look("AWS Batch vCPUs", replace(stage, blueprint=BLUEPRINT.with_batch("cpu")))

    assert (found.verdict, "32 vCPUs" in found.found) == ("ok", True)


def test_an_unset_registry_is_set_by_deploying(stage: Deployment) -> None:
    assert look("ECR scanning", stage).verdict == "warn"


@pytest.mark.parametrize(
    ("kind", "wanted", "inspector", "verdict"),
    [
        pytest.param("BASIC", "basic", None, "ok", id="basic"),
        pytest.param("BASIC", "enhanced", None, "warn", id="not-what-is-set"),
        pytest.param("ENHANCED", "enhanced", "ENABLED", "ok", id="enhanced"),
        pytest.param("ENHANCED", "enhanced", "DISABLED", "fail", id="without-inspector"),
    ],
)
def test_scanning_is_what_the_settings_say(
    stage: Deployment, kind: str, wanted: str, inspector: str | None, verdict: str
) -> None:
    rule = {
        "scanFrequency": "SCAN_ON_PUSH",
        "repositoryFilters": [{"filter": "matteline/*", "filterType": "WILDCARD"}],
    }
    stage.site.client("ecr").put_registry_scanning_configuration(scanType=kind, rules=[rule])
    if inspector:
        status = {"status": inspector, "errorCode": "x", "errorMessage": "x"}
        states = dict.fromkeys(("ec2", "ecr"), status)
        account = {"accountId": ACCOUNT, "state": status, "resourceState": states}
        stubbed(stage, "inspector2", batch_get_account_status={"accounts": [account]})

    found = look("ECR scanning", replace(stage, settings={"scanning": wanted}))

    assert found.verdict == verdict


def test_s3_vectors_answers_in_its_regions(stage: Deployment) -> None:
    assert look("S3 Vectors", stage).verdict == "ok"


def test_a_region_without_s3_vectors_cannot_be_deployed_to(stage: Deployment) -> None:
    unreachable(stage, "s3vectors")

    assert look("S3 Vectors", stage).verdict == "fail"


@pytest.mark.parametrize(
    ("authorised", "verdict"),
    [
        pytest.param("AUTHORIZED", "ok", id="open"),
        pytest.param("NOT_AUTHORIZED", "warn", id="closed"),
    ],
)
def test_hosted_models_need_access(stage: Deployment, authorised: str, verdict: str) -> None:
    stub = Stubber(stage.site.client("bedrock"))
    model = "stability.stable-image-remove-background-v1:0"
    told = {
        "modelId": model,
        "agreementAvailability": {"status": "AVAILABLE"},
        "authorizationStatus": authorised,
        "entitlementAvailability": "AVAILABLE",
        "regionAvailability": "AVAILABLE",
    }
    stub.add_response("get_foundation_model_availability", told, {"modelId": model})
    stub.activate()

    assert look("Bedrock models", stage).verdict == verdict


@pytest.mark.parametrize(
    ("code", "verdict"),
    [
        pytest.param("", "ok", id="open"),
        pytest.param("SubscriptionRequiredException", "fail", id="not-subscribed"),
        pytest.param("OptInRequired", "fail", id="not-opted-in"),
        pytest.param("AccessDeniedException", "unknown", id="not-allowed"),
    ],
)
def test_each_service_is_asked_once(stage: Deployment, code: str, verdict: str) -> None:
    stubbed(stage, "signer", list_signing_profiles=code or {"profiles": []})

    found = look("services", stage)

    assert found.verdict == verdict
    assert ("signer" if verdict != "unknown" else "not allowed: ") in found.found


def unreachable(stage: Deployment, *services: str) -> None:
    def fail(**_: Any) -> None:
        raise EndpointConnectionError(endpoint_url="https://nowhere")

    for service in services:
        stage.site.client(service).meta.events.register("before-call", fail)


def session(told: Any, expiry: datetime | None = None) -> Any:
    def ask() -> Any:
        if isinstance(told, Exception):
            raise told
        return {"Account": ACCOUNT, "Arn": told}

    sts = SimpleNamespace(get_caller_identity=ask)
    credentials = SimpleNamespace(_expiry_time=expiry) if expiry else object()
    return SimpleNamespace(client=lambda _: sts, get_credentials=lambda: credentials)


ROLE: Final = f"arn:aws:sts::{ACCOUNT}:assumed-role/Admin/ada"
NOW: Final = datetime.now(UTC)
EXPIRED: Final[Any] = {"Error": {"Code": "ExpiredToken", "Message": ""}}


@pytest.mark.parametrize(
    ("told", "left", "verdict", "says"),
    [
        pytest.param(ROLE, None, "ok", "do not expire", id="for-ever"),
        pytest.param(ROLE, 600, "ok", "until 20", id="for-hours"),
        pytest.param(ROLE, 5, "warn", "until 20", id="for-minutes"),
        pytest.param(f"arn:aws:iam::{ACCOUNT}:root", None, "warn", ":root", id="root"),
        pytest.param(NoCredentialsError(), None, "fail", "credentials", id="none"),
        pytest.param(
            ClientError(EXPIRED, "GetCallerIdentity"), None, "fail", "ExpiredToken", id="expired"
        ),
        pytest.param(
            EndpointConnectionError(endpoint_url="https://sts"),
            None,
            "fail",
            "AWS does not answer",
            id="offline",
        ),
    ],
)
def test_credentials_say_who_asks_and_until_when(
    told: object, left: int | None, verdict: str, says: str
) -> None:
    expiry = NOW + timedelta(minutes=left) if left else None

    found = check_credentials(session(told, expiry))

    assert found.verdict == verdict
    assert says in found.found

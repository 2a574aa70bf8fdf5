"""Every check of the doctor says what is wrong and what to do, and never breaks."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any, Final, cast

import boto3
import pytest
from botocore.exceptions import ClientError, EndpointConnectionError, NoCredentialsError
from botocore.loaders import create_loader
from botocore.stub import Stubber
from click.testing import CliRunner
from moto import mock_aws
from moto.cloudformation.models import cloudformation_backends

from pipeline.cli import doctor as command
from pipeline.compute import LANES
from pipeline.declared.blueprint import Blueprint
from pipeline.declared.names import Names, stage_names
from pipeline.operations.account_checks import ACCOUNT_CHECKS, check_credentials
from pipeline.operations.checking import Check, Finding, actions_of, run_checks
from pipeline.operations.deployment import Deployment
from pipeline.operations.site import Site
from pipeline.operations.stage_checks import STAGE_CHECKS
from pipeline.operations.stage_tuning import MARK
from tests.conftest import ROOT
from tests.pipeline.operations.test_stage_tuning import zipped

ACCOUNT: Final = "123456789012"
NAMES: Final[Names] = stage_names("dev", account=ACCOUNT, region="us-east-1")
BLUEPRINT: Final = Blueprint.read(ROOT)
CHECKS: Final = {check.name: check for check in (*ACCOUNT_CHECKS, *STAGE_CHECKS)}
LOADER: Final = create_loader()  # of AWS's descriptions, which take long to read
TEMPLATE: Final = json.dumps({"Resources": {"Topic": {"Type": "AWS::SNS::Topic"}}})


@pytest.fixture
def stage(monkeypatch: pytest.MonkeyPatch) -> Iterator[Deployment]:
    """An empty account."""
    monkeypatch.setenv("AWS_DEFAULT_REGION", NAMES.region)
    with mock_aws(config={"lambda": {"use_docker": False}}):
        session = boto3.Session("key", "secret", region_name=NAMES.region)
        session._session.register_component("data_loader", LOADER)
        yield Deployment(Site(NAMES, session, ()), BLUEPRINT, {})


def look(name: str, deployment: Deployment) -> Finding:
    return CHECKS[name].run(deployment)


def stubbed(stage: Deployment, service: str, **answers: Any) -> Stubber:
    """Have a client answer each operation once: for what moto lacks."""
    stub = Stubber(stage.site.client(service))
    for operation, answer in answers.items():
        if isinstance(answer, str):
            stub.add_client_error(operation, answer)
        else:
            stub.add_response(operation, answer)
    stub.activate()
    return stub


def quotas(stage: Deployment, service: str, values: Mapping[str, float], **usual: float) -> None:
    told = [
        {"ServiceCode": service, "QuotaName": name, "Value": each} for name, each in values.items()
    ]
    defaults = [{"QuotaName": name, "Value": each} for name, each in (usual or values).items()]
    stub = stubbed(stage, "service-quotas", list_service_quotas={"Quotas": told})
    stub.add_response("list_aws_default_service_quotas", {"Quotas": defaults})


def deploy(stage: Deployment, *missing: str, **status: str) -> None:
    """Create every stack but `missing` ones; `status` is by the last word of a stack's name."""
    cloudformation = stage.site.client("cloudformation")
    for name in stage.expected_stacks:
        if name not in missing:
            cloudformation.create_stack(StackName=name, TemplateBody=TEMPLATE)
            if (word := name.rpartition("-")[2]) in status:
                backend = cloudformation_backends[ACCOUNT][NAMES.region]
                backend.get_stack(name).status = status[word]


def release(stage: Deployment, versions: Mapping[str, str]) -> None:
    for name, version in versions.items():
        stage.site.client("ssm").put_parameter(
            Name=NAMES.release_record(name), Type="String",
            Value=json.dumps({"version": version, "digest": "sha256:0"}),
        )  # fmt: skip


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
    assert (
        found.found == "a destroyed stage left 1 keys, 1 aliases of keys, 1 buckets, 1 log groups"
    )


def test_a_stage_that_is_there_has_no_leftovers(stage: Deployment) -> None:
    deploy(stage)
    stage.site.client("s3").create_bucket(Bucket=NAMES.bucket("ingest"))

    assert look("leftovers", stage).verdict == "ok"


def test_temporary_versions_of_tuning_are_found(stage: Deployment) -> None:
    client = stage.site.client
    role = client("iam").create_role(RoleName="r", AssumeRolePolicyDocument="{}")["Role"]["Arn"]
    function = next(iter(BLUEPRINT.functions))
    own, others = (
        function.name(stage_names(each, account=ACCOUNT, region=NAMES.region))
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


def unreachable(stage: Deployment, *services: str) -> None:
    def fail(**_: Any) -> None:
        raise EndpointConnectionError(endpoint_url="https://nowhere")

    for service in services:
        stage.site.client(service).meta.events.register("before-call", fail)


ASKING: Final = [name for name, check in CHECKS.items() if check.actions]


@pytest.mark.parametrize("name", ASKING)
@pytest.mark.parametrize("named", [True, False], ids=["named", "unnamed"])
def test_what_may_not_be_seen_is_unknown(stage: Deployment, name: str, *, named: bool) -> None:
    words = "User: me is not authorized to perform: some:Action on resource: x" if named else "no"

    def deny(**_: Any) -> None:
        told: Any = {"Error": {"Code": "AccessDeniedException", "Message": words}}
        raise ClientError(told, "Some")

    stage.site.session.events.register("before-call", deny)
    subject = replace(stage, blueprint=BLUEPRINT.with_batch("cpu"))

    found = look(name, subject)

    assert found.verdict == "unknown"
    assert ("some:Action" if named else CHECKS[name].actions[0]) in found.do


@pytest.mark.parametrize("name", ASKING)
def test_a_service_that_does_not_answer_breaks_nothing(stage: Deployment, name: str) -> None:
    def fail(**_: Any) -> None:
        raise EndpointConnectionError(endpoint_url="https://nowhere")

    stage.site.session.events.register("before-call", fail)

    found = look(name, replace(stage, blueprint=BLUEPRINT.with_batch("cpu")))

    assert found.verdict in {"unknown", "fail"}


def test_findings_are_in_the_order_of_their_checks() -> None:
    checks = [Check(name, CHECKS["region"].look) for name in "abc"]
    site = SimpleNamespace(names=NAMES)
    subject = cast("Deployment", SimpleNamespace(site=site))

    assert [found.check for found in run_checks(checks, subject)] == ["a", "b", "c"]


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
    ],
)
def test_credentials_say_who_asks_and_until_when(
    told: object, left: int | None, verdict: str, says: str
) -> None:
    expiry = NOW + timedelta(minutes=left) if left else None

    found = check_credentials(session(told, expiry))

    assert found.verdict == verdict
    assert says in found.found


def test_the_policy_in_the_documents_allows_what_the_checks_need() -> None:
    text = (ROOT / "docs" / "deploying.md").read_text(encoding="utf-8")
    section = text.partition("\n### What the doctor may do\n")[2]
    block = re.search(r"```json\n(.*?)```", section, re.DOTALL)
    assert block
    (statement,) = json.loads(block[1])["Statement"]

    assert statement["Action"] == actions_of(CHECKS.values())


@pytest.mark.parametrize(
    ("verdicts", "code"),
    [
        pytest.param(["ok", "warn", "unknown"], 0, id="nothing-fails"),
        pytest.param(["ok", "fail"], 1, id="one-fails"),
    ],
)
def test_the_exit_code_and_the_json(
    monkeypatch: pytest.MonkeyPatch, verdicts: list[Any], code: int
) -> None:
    findings = [Finding(f"check {at}", each, "found [x]", "do") for at, each in enumerate(verdicts)]
    monkeypatch.setattr(command, "_of_machine", lambda: findings)

    table = CliRunner().invoke(command.doctor, [])
    written = CliRunner().invoke(command.doctor, ["--json"])

    assert (table.exit_code, written.exit_code) == (code, code)
    assert "found [x]" in table.output
    assert [each["verdict"] for each in json.loads(written.output)] == verdicts

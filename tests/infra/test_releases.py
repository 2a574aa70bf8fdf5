"""The release machine may only set parameters; deploy roles reach one container each."""

from __future__ import annotations

import json
import re
from typing import Any, Final

import pytest

from infra.app import ROOT
from pipeline.declared.blueprint import Blueprint
from pipeline.declared.containers import load_containers
from pipeline.declared.names import Names
from tests.infra.cloudformation import ACCOUNT, REGION, Deployed, Resource, deploy
from tests.infra.conftest import Templates
from tests.infra.policies import Statement, allows, listed, role, statements_of

CONTAINERS: Final = [each.name for each in load_containers(ROOT)]
EACH: Final = pytest.mark.parametrize("container", CONTAINERS)
NAMES: Final = Names("matteline-dev", account=ACCOUNT, region=REGION)
BLUEPRINT: Final = Blueprint.read(ROOT, defaults=("starter",))
LAMBDA: Final = f"arn:aws:lambda:{REGION}:{ACCOUNT}:function"


@pytest.fixture
def stack(templates: Templates) -> Deployed:
    return deploy(templates["matteline-dev-releases"])


@pytest.fixture
def machine(templates: Templates) -> list[Statement]:
    """Return the statements of the release machine's role.

    CDK puts those above IAM's limit for one policy into a managed policy.
    """
    stack = deploy(templates["matteline-dev-pipeline"])
    found = [
        statement
        for policy in (*stack.of("IAM::Policy"), *stack.of("IAM::ManagedPolicy"))
        for statement in policy.properties["PolicyDocument"]["Statement"]
        if policy.id.startswith("releasecontainer")
    ]
    assert found
    return found


def stack_arn(container: str) -> str:
    return f"arn:aws:cloudformation:{REGION}:{ACCOUNT}:stack/matteline-dev-functions-{container}/id"


@EACH
def test_the_machine_updates_a_stack_only_with_its_deploy_role_and_template(
    machine: list[Statement], container: str
) -> None:
    (update,) = [
        each
        for each in machine
        if each["Action"] == "cloudformation:UpdateStack"
        and allows([each], "cloudformation:UpdateStack", stack_arn(container))
    ]

    deploy_role = f"arn:aws:iam::{ACCOUNT}:role/matteline-dev-deploy-{container}"
    assert update["Condition"] == {
        "ArnEquals": {"cloudformation:RoleArn": deploy_role},
        "Null": {"cloudformation:TemplateUrl": "true"},
    }
    assert allows(machine, "iam:PassRole", deploy_role)


def test_the_machine_may_pass_only_deploy_roles_and_only_to_cloudformation(
    machine: list[Statement],
) -> None:
    (passes,) = [each for each in machine if "iam:PassRole" in listed(each["Action"])]

    assert passes["Condition"] == {
        "StringEquals": {"iam:PassedToService": "cloudformation.amazonaws.com"}
    }
    assert len(listed(passes["Resource"])) == len(CONTAINERS)
    assert all("role/matteline-dev-deploy-" in each for each in listed(passes["Resource"]))


@pytest.mark.parametrize("stack_name", ["matteline-dev-pipeline", "matteline-dev-access"])
def test_the_machine_may_update_only_function_stacks(
    machine: list[Statement], stack_name: str
) -> None:
    arn = f"arn:aws:cloudformation:{REGION}:{ACCOUNT}:stack/{stack_name}/id"

    assert not allows(machine, "cloudformation:UpdateStack", arn)


@EACH
def test_only_cloudformation_assumes_a_deploy_role_and_without_a_condition(
    stack: Deployed, container: str
) -> None:
    """AWS documents source conditions for extensions, not for the roles of stacks."""
    (trust,) = stack.one("IAM::Role", RoleName=NAMES.deploy_role(container)).properties[
        "AssumeRolePolicyDocument"
    ]["Statement"]

    assert trust["Principal"] == {"Service": "cloudformation.amazonaws.com"}
    assert "Condition" not in trust


@EACH
def test_a_deploy_role_changes_its_own_functions_only(stack: Deployed, container: str) -> None:
    allowed = role(stack, NAMES.deploy_role(container))

    for each in BLUEPRINT.functions:
        arn = f"{LAMBDA}:{each.name(NAMES)}"
        own = each.manifest.name == container
        assert allows(allowed, "lambda:UpdateFunctionCode", arn) == own
        assert allows(allowed, "lambda:UpdateAlias", f"{arn}:live") == own
        assert allows(allowed, "iam:PassRole", NAMES.role_arn(each.name(NAMES))) == own


@EACH
def test_a_deploy_role_creates_no_role_and_reads_no_data(stack: Deployed, container: str) -> None:
    actions = {
        action
        for statement in role(stack, NAMES.deploy_role(container))
        for action in listed(statement["Action"])
    }

    assert not {each for each in actions if each.startswith(("s3:", "kms:", "dynamodb:"))}
    assert {each for each in actions if each.startswith("iam:")} == {"iam:PassRole"}


def test_a_deploy_role_may_stop_any_deployment(stack: Deployed) -> None:
    """The action has no resource type: IAM denies it with a narrower resource."""
    for container in CONTAINERS:
        (stops,) = [
            each
            for each in role(stack, NAMES.deploy_role(container))
            if "codedeploy:StopDeployment" in listed(each["Action"])
        ]
        assert stops["Resource"] == "*"


@EACH
def test_a_release_watches_every_alarm_of_its_container(
    templates: Templates, stack: Deployed, container: str
) -> None:
    rule = stack.one(
        "CloudWatch::CompositeAlarm", AlarmName=NAMES.release_alarm(container)
    ).properties["AlarmRule"]
    functions = deploy(templates[f"matteline-dev-functions-{container}"])

    watched = set(re.findall(r'ALARM\("([^"]+)"\)', rule))
    assert watched == {each.properties["AlarmName"] for each in functions.of("CloudWatch::Alarm")}
    assert len(rule) <= 10_240
    assert len(watched) <= 100


@EACH
def test_every_new_version_is_smoke_tested_before_traffic_shifts(
    templates: Templates, container: str
) -> None:
    released = deploy(
        templates[f"matteline-dev-functions-{container}"],
        ImageDigestHex="ab" * 32,
        ReleaseVersion="1.0.0",
    )

    for alias in released.of("Lambda::Alias"):
        update = alias.attributes["UpdatePolicy"]["CodeDeployLambdaAliasUpdate"]
        assert update["BeforeAllowTrafficHook"] == NAMES.operation("smoke-hook", hook=True)


def test_every_declared_zipped_function_is_made_from_one_zip(stack: Deployed) -> None:
    made = {each.properties["FunctionName"]: each for each in stack.of("Lambda::Function")}

    assert made.keys() == {each.function(NAMES) for each in BLUEPRINT.operations(NAMES)}
    assert len({json.dumps(each.properties["Code"]) for each in made.values()}) == 1
    assert {each.properties["Runtime"] for each in made.values()} == {"python3.13"}


def test_the_hook_has_the_name_prefix_that_codedeploy_requires() -> None:
    assert NAMES.operation("smoke-hook", hook=True).startswith("CodeDeployHook_")


def test_placeholders_name_the_zipped_functions(stack: Deployed) -> None:
    made = {f"{LAMBDA}:{each.properties['FunctionName']}" for each in stack.of("Lambda::Function")}
    provided = BLUEPRINT.substitutions(NAMES)

    assert {provided[each.placeholder] for each in BLUEPRINT.operations(NAMES)} == made


def test_only_builds_may_sign(stack: Deployed) -> None:
    signers = {
        each.id
        for each in stack.of("IAM::Role")
        if any("kms:Sign" in listed(one["Action"]) for one in statements_of(each))
    }

    assert len(signers) == len(CONTAINERS)
    assert all("Build" in each for each in signers)
    key = stack.one("KMS::Key", KeyUsage="SIGN_VERIFY")
    assert key.properties["KeySpec"] == "ECC_NIST_P384"
    assert key.attributes["DeletionPolicy"] == "Retain"


@EACH
def test_a_build_pushes_to_one_repository_and_stores_evidence_of_one_container(
    stack: Deployed, container: str
) -> None:
    project = project_of(stack, container)
    allowed = build_role(stack, container)
    ecr = f"arn:aws:ecr:{REGION}:{ACCOUNT}:repository"
    bucket = f"arn:aws:s3:::matteline-dev-evidence-{ACCOUNT}-{REGION}"

    assert project["Source"]["BuildSpec"] == "buildspec/container.yml"
    assert project["ConcurrentBuildLimit"] == 1
    for other in CONTAINERS:
        own = other == container
        assert allows(allowed, "ecr:PutImage", f"{ecr}/matteline/{other}") == own
        assert allows(allowed, "s3:PutObject", f"{bucket}/releases/{other}/x") == own
    assert not allows(allowed, "s3:PutObject", f"{bucket}/source/matteline.zip")


@EACH
def test_a_build_gets_container_repository_bucket_and_key(stack: Deployed, container: str) -> None:
    environment = project_of(stack, container)["Environment"]

    assert {each["Name"]: each["Value"] for each in environment["EnvironmentVariables"]} == {
        "CONTAINER": container,
        "REPOSITORY": f"{ACCOUNT}.dkr.ecr.{REGION}.amazonaws.com/matteline/{container}",
        "EVIDENCE_BUCKET": f"matteline-dev-evidence-{ACCOUNT}-{REGION}",
        "PROVENANCE_KEY": "alias/matteline-dev-provenance",
    }


def test_an_image_is_built_on_its_own_architecture(grown: Templates) -> None:
    stack = deploy(grown["matteline-dev-releases"])
    kinds = {name: project_of(stack, name)["Environment"]["Type"] for name in CONTAINERS}

    assert set(kinds.values()) == {"LINUX_CONTAINER"}
    assert project_of(stack, "face-finder")["Environment"]["Type"] == "ARM_CONTAINER"


@EACH
def test_docker_runs_on_a_server_and_the_build_without_privileges(
    stack: Deployed, container: str
) -> None:
    environment = project_of(stack, container)["Environment"]

    assert environment["DockerServer"] == {"ComputeType": "BUILD_GENERAL1_MEDIUM"}
    assert environment["PrivilegedMode"] is False


def test_docker_runs_in_the_build_on_arm_which_has_no_server(grown: Templates) -> None:
    environment = project_of(deploy(grown["matteline-dev-releases"]), "face-finder")["Environment"]

    assert "DockerServer" not in environment
    assert environment["PrivilegedMode"] is True


def test_builds_are_rehearsed_every_week_and_live_images_scanned_every_day(
    stack: Deployed,
) -> None:
    rules = [each.properties for each in stack.of("Events::Rule") if "Schedule" in str(each)]
    weekly = [each for each in rules if "MON" in each["ScheduleExpression"]]
    (daily,) = [each for each in rules if each not in weekly]

    rehearsed = [target for rule in weekly for target in rule["Targets"]]
    assert ["REHEARSAL" in each["Input"] for each in rehearsed] == [True] * len(CONTAINERS)
    assert all(len(rule["Targets"]) <= 5 for rule in weekly)
    assert daily["ScheduleExpression"] == "cron(0 5 * * ? *)"


def test_a_critical_finding_alarms_from_one_daily_scan_to_the_next(stack: Deployed) -> None:
    alarm = stack.one("CloudWatch::Alarm", AlarmName="matteline-dev-critical-findings").properties

    assert (alarm["Period"], alarm["DatapointsToAlarm"], alarm["EvaluationPeriods"]) == (
        86400,
        1,
        2,
    )


def project_of(stack: Deployed, container: str) -> dict[str, Any]:
    return stack.one("CodeBuild::Project", Name=NAMES.build_project(container)).properties


def build_role(stack: Deployed, container: str) -> list[Statement]:
    reference = project_of(stack, container)["ServiceRole"]
    (found,) = [each for each in stack.of("IAM::Role") if _is(each, reference)]
    return statements_of(found)


def _is(resource: Resource, reference: str) -> bool:
    return reference == f"<{resource.id}.Arn>"


@pytest.mark.parametrize(
    ("action", "table", "allowed"),
    [
        ("GetItem", "keys", True),
        ("PutItem", "keys", False),
        ("UpdateItem", "keys", False),
        ("Scan", "keys", False),
        ("GetItem", "jobs", False),
    ],
)
def test_the_key_authoriser_only_reads_keys(
    stack: Deployed, action: str, table: str, *, allowed: bool
) -> None:
    (found,) = (each for each in stack.of("IAM::Role") if each.id.startswith("KeyAuthorizerRole"))
    arn = f"arn:aws:dynamodb:{REGION}:{ACCOUNT}:table/matteline-dev-{table}"

    assert allows(statements_of(found), f"dynamodb:{action}", arn) is allowed


@pytest.mark.parametrize(
    ("action", "bucket", "key", "allowed"),
    [
        ("DeleteObjectVersion", "output", "people/ada_faces.json", True),
        ("DeleteObjectVersion", "output", "people/ada_faces.embeddings.safetensors", True),
        ("DeleteObjectVersion", "output", "people/ada_faces.record.json", True),
        ("DeleteObjectVersion", "output", "people/ada_bg_removed.png", False),
        ("DeleteObjectVersion", "ingest", "people/ada.jpg", False),
        ("DeleteObject", "output", "people/ada_faces.json", True),
        ("DeleteObject", "output", "people/ada_bg_removed.png", False),
        ("DeleteObject", "work", "faces/job/run/faces.json", True),
        ("DeleteObject", "work", "job/run/mask.png", False),
        ("GetObjectVersion", "output", "people/ada_faces.record.json", True),
        ("GetObjectVersion", "output", "people/ada_faces.embeddings.safetensors", True),
        ("GetObjectVersion", "output", "people/ada_bg_removed.png", False),
        ("PutObject", "output", "people/ada_faces.json", False),
    ],
)
def test_the_photo_forgetter_reads_and_deletes_files_of_faces_only(
    stack: Deployed, action: str, bucket: str, key: str, *, allowed: bool
) -> None:
    (found,) = (each for each in stack.of("IAM::Role") if each.id.startswith("PhotoForgetterRole"))
    arn = f"{NAMES.bucket_arn(bucket)}-{ACCOUNT}-{REGION}/{key}"

    assert allows(statements_of(found), f"s3:{action}", arn) is allowed

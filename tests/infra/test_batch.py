"""A stage has AWS Batch only if it asks for it: no machine at rest, and nobody reaches one."""

from __future__ import annotations

import base64
import json
from typing import Any, Final

import pytest

from infra.app import ROOT, make_app
from infra.settings import Settings
from pipeline.compute import LANES
from pipeline.declared.blueprint import Blueprint
from pipeline.declared.names import Names
from tests.infra.cloudformation import ACCOUNT, REGION, Deployed, deploy
from tests.infra.conftest import Templates
from tests.infra.policies import allows, listed, statements_of
from tests.infra.test_app import statements as all_statements
from tests.infra.test_cfn_lint import problems
from tests.infra.test_cost import month
from tests.infra.test_iam_actions import problems as wrong_rights
from tests.infra.test_iam_actions import statements as rights
from tests.infra.test_nag import findings, reviewed, unreviewed, unused
from tests.infra.test_runbook import named, sections

NAMES: Final = Names("matteline-dev", account=ACCOUNT, region=REGION)
BATCH: Final = "matteline-dev-batch"
CONTAINERS: Final = ("background-remover", "diarizer", "transcriber")
BLUEPRINT: Final = Blueprint.read(ROOT).with_batch("cpu")
RUNBOOK: Final = (ROOT / "docs" / "runbook.md").read_text(encoding="utf-8")


@pytest.fixture(params=["cpu", "gpu"])
def machines(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def both(on_cpus: Templates, on_gpus: Templates) -> dict[str, Templates]:
    return {"cpu": on_cpus, "gpu": on_gpus}


@pytest.fixture
def stack(both: dict[str, Templates], machines: str) -> Deployed:
    return deploy(both[machines][BATCH])


def test_a_stage_without_it_has_nothing_of_it(templates: Templates) -> None:
    everything = json.dumps(templates)

    assert BATCH not in templates
    for sign in ("AWS::Batch::", "AWS::EC2::", "batch:SubmitJob", "ecs-tasks", "/aws/batch/"):
        assert sign not in everything


def test_only_what_runs_starts_releases_or_watches_jobs_changes_with_it(
    templates: Templates, on_cpus: Templates
) -> None:
    assert on_cpus.keys() - templates.keys() == {BATCH}
    assert {name for name in templates if templates[name] != on_cpus[name]} == {
        "matteline-dev-access",
        "matteline-dev-observability",  # saved queries search the logs of jobs
        "matteline-dev-pipeline",
        "matteline-dev-releases",
        *(f"matteline-dev-functions-{container}" for container in CONTAINERS),
    }


def test_functions_are_the_same_with_it(templates: Templates, on_gpus: Templates) -> None:
    """The condition of a stage's functions, versions and aliases does not depend on jobs."""
    for container in CONTAINERS:
        name = f"matteline-dev-functions-{container}"
        before, after = templates[name]["Resources"], on_gpus[name]["Resources"]
        changed = {key for key in before if before[key] != after[key]}
        assert {before[key]["Type"] for key in changed} == {"AWS::SSM::Parameter"}


def test_no_machine_runs_at_rest(stack: Deployed, machines: str) -> None:
    (environment,) = stack.of("Batch::ComputeEnvironment")
    resources = environment.properties["ComputeResources"]

    assert (resources["MinvCpus"], resources["MaxvCpus"]) == (0, 32)
    assert resources["Type"] == "SPOT"
    assert set(month([stack]).values()) == {0, 0.10}  # an alarm
    system = {"cpu": "ECS_AL2023", "gpu": "ECS_AL2023_NVIDIA"}[machines]
    assert resources["Ec2Configuration"] == [{"ImageType": system}]


def test_what_people_drop_goes_before_a_backfill(stack: Deployed, machines: str) -> None:
    queues = stack.of("Batch::JobQueue")
    environments = {str(each.properties["ComputeEnvironmentOrder"]) for each in queues}
    by_priority = sorted(queues, key=lambda each: -each.properties["Priority"])

    assert [each.properties["JobQueueName"] for each in by_priority] == [
        f"matteline-dev-{machines}-{lane}" for lane in LANES
    ]
    assert len({each.properties["Priority"] for each in queues}) == len(LANES)
    assert len(environments) == 1  # priorities count among queues that share machines


def test_a_job_that_can_never_start_ends(stack: Deployed) -> None:
    for queue in stack.of("Batch::JobQueue"):
        limits = {
            each["Reason"]: (each["State"], each["Action"], each["MaxTimeSeconds"])
            for each in queue.properties["JobStateTimeLimitActions"]
        }
        assert limits == {
            "MISCONFIGURATION:COMPUTE_ENVIRONMENT_MAX_RESOURCE": ("RUNNABLE", "CANCEL", 600),
            "MISCONFIGURATION:JOB_RESOURCE_REQUIREMENT": ("RUNNABLE", "CANCEL", 600),
        }


def test_disks_are_encrypted_and_hold_images_and_weights(stack: Deployed) -> None:
    (template,) = stack.of("EC2::LaunchTemplate")
    (disk,) = template.properties["LaunchTemplateData"]["BlockDeviceMappings"]
    images_mb = sum(
        each.batch.gpu_image_mb or 0 for each in BLUEPRINT.containers if each.batch is not None
    )

    assert disk["Ebs"]["Encrypted"] is True
    assert disk["Ebs"]["DeleteOnTermination"] is True
    assert disk["Ebs"]["VolumeSize"] * 1000 > 2 * images_mb + 30_000  # two versions, and a system


def test_credentials_of_a_machine_need_a_session(stack: Deployed) -> None:
    (template,) = stack.of("EC2::LaunchTemplate")
    data = template.properties["LaunchTemplateData"]

    assert data["MetadataOptions"] == {"HttpPutResponseHopLimit": 1, "HttpTokens": "required"}
    script = base64.b64decode(data["UserData"]).decode()
    assert "ECS_ENABLE_AWSLOGS_EXECUTIONROLE_OVERRIDE=true" in script


def test_nothing_reaches_a_machine_and_it_reaches_https_alone(stack: Deployed) -> None:
    (group,) = stack.of("EC2::SecurityGroup")
    (out,) = group.properties["SecurityGroupEgress"]

    assert "SecurityGroupIngress" not in group.properties
    assert stack.of("EC2::SecurityGroupIngress") == []
    assert (out["IpProtocol"], out["FromPort"], out["ToPort"]) == ("tcp", 443, 443)


def test_at_rest_it_costs_what_the_documents_say(stack: Deployed) -> None:
    documents = " ".join((ROOT / "docs" / "deploying.md").read_text().split())
    (environment,) = stack.of("Batch::ComputeEnvironment")
    most = environment.properties["ComputeResources"]["MaxvCpus"]

    assert f"At rest AWS Batch costs ${sum(month([stack]).values()):.2f} a month" in documents
    assert f"most vCPUs at once: {most} unless set. A job has 4" in documents
    assert {job.batch.vcpus for job in BLUEPRINT.jobs} == {4}


def test_the_network_costs_nothing_at_rest(stack: Deployed) -> None:
    kinds = {each.type for each in stack if each.type.startswith("AWS::EC2::")}
    (endpoint,) = stack.of("EC2::VPCEndpoint")

    assert kinds == {
        "AWS::EC2::FlowLog",
        "AWS::EC2::InternetGateway",
        "AWS::EC2::LaunchTemplate",
        "AWS::EC2::Route",
        "AWS::EC2::RouteTable",
        "AWS::EC2::SecurityGroup",
        "AWS::EC2::Subnet",
        "AWS::EC2::SubnetRouteTableAssociation",
        "AWS::EC2::VPC",
        "AWS::EC2::VPCEndpoint",
        "AWS::EC2::VPCGatewayAttachment",
    }
    assert endpoint.properties["VpcEndpointType"] == "Gateway"


def test_given_subnets_are_used_instead(tmp_path: Any) -> None:
    given = {
        "matteline:batch": "cpu",
        "matteline:batch_vpc": "vpc-0a1b2c3d",
        "matteline:batch_subnets": "subnet-0a1b2c3d subnet-1a2b3c4d",
    }
    make_app(outdir=tmp_path, given=given).synth()
    stack = deploy(json.loads((tmp_path / f"{BATCH}.template.json").read_text()))
    (environment,) = stack.of("Batch::ComputeEnvironment")

    assert environment.properties["ComputeResources"]["Subnets"] == [
        "subnet-0a1b2c3d",
        "subnet-1a2b3c4d",
    ]
    assert stack.one("EC2::SecurityGroup").properties["VpcId"] == "vpc-0a1b2c3d"
    assert not [each for each in stack if each.type in {"AWS::EC2::VPC", "AWS::EC2::Subnet"}]


@pytest.mark.parametrize(
    "given",
    [{"batch_vpc": "vpc-0a1b"}, {"batch_subnets": "subnet-0a1b"}],
    ids=lambda one: next(iter(one)),
)
def test_half_a_network_is_refused(given: dict[str, str]) -> None:
    context = {f"matteline:{name}": text for name, text in {"stage": "dev", **given}.items()}

    with pytest.raises(ValueError, match="batch_vpc and batch_subnets must be set together"):
        Settings.from_context(context.get)


def test_a_machine_may_serve_ecs_and_touch_nothing_of_ours(stack: Deployed) -> None:
    (profile,) = stack.of("IAM::InstanceProfile")
    (used,) = profile.properties["Roles"]
    (role,) = (each for each in stack.of("IAM::Role") if used == f"<{each.id}>")
    actions = {each for one in statements_of(role) for each in listed(one["Action"])}

    assert {each.partition(":")[0] for each in actions} == {"ecs"}
    assert not {"ecs:RunTask", "ecs:StartTask"} & actions
    assert "ManagedPolicyArns" not in role.properties


def test_ecs_pulls_images_of_containers_with_jobs_and_writes_their_logs(stack: Deployed) -> None:
    role = stack.one("IAM::Role", RoleName="matteline-dev-batch-execution")
    allowed = statements_of(role)
    place = f"arn:aws:ecr:{REGION}:{ACCOUNT}:repository/matteline"

    for container in CONTAINERS:
        group = f"/aws/batch/matteline-dev-{container}"
        assert allows(allowed, "ecr:BatchGetImage", f"{place}/{container}")
        assert stack.one("Logs::LogGroup", LogGroupName=group)
        stream = f"arn:aws:logs:{REGION}:{ACCOUNT}:log-group:{group}:log-stream:one"
        assert allows(allowed, "logs:PutLogEvents", stream)
    assert not allows(allowed, "ecr:BatchGetImage", f"{place}/http-api")
    assert not allows(allowed, "s3:GetObject", "arn:aws:s3:::matteline-dev-ingest/cat.jpg")


def test_a_queue_that_cannot_go_on_is_an_alarm_with_its_reason_in_a_log(
    stack: Deployed, machines: str
) -> None:
    (rule,), (alarm,) = stack.of("Events::Rule"), stack.of("CloudWatch::Alarm")
    pattern, (target,) = rule.properties["EventPattern"], rule.properties["Targets"]
    group = "/aws/events/matteline-dev-batch"

    assert pattern["detail-type"] == ["Batch Job Queue Blocked"]
    assert [arn.rpartition("/")[2] for arn in pattern["detail"]["jobQueueArn"]] == [
        f"matteline-dev-{machines}-{lane}" for lane in LANES
    ]
    assert target["Arn"].endswith(f":log-group:{group}")
    assert alarm.properties["MetricName"] == "IncomingLogEvents"
    (watched,) = alarm.properties["Dimensions"]
    assert stack.one("Logs::LogGroup", LogGroupName=group).id in watched["Value"]
    (written,) = (json.loads(each.properties["PolicyDocument"])["Statement"][0]
                  for each in stack.of("Logs::ResourcePolicy"))  # fmt: skip
    assert written["Action"] == ["logs:CreateLogStream", "logs:PutLogEvents"]


def test_every_alarm_has_a_section_of_the_runbook(stack: Deployed) -> None:
    told = {one for alarm in stack.of("CloudWatch::Alarm") for one in named(alarm.properties)}

    assert told == {"batch-blocked"}
    assert told <= sections(RUNBOOK).keys()


def test_every_finding_of_the_aws_solutions_rules_was_reviewed(machines: str) -> None:
    found = findings(make_app(given={"matteline:batch": machines}))
    own = reviewed(ROOT, "nag_batch.toml")

    assert unreviewed(found, [*reviewed(ROOT), *own]) == []
    assert unused(found, own) == []


def test_cfn_lint_finds_nothing(both: dict[str, Templates], machines: str) -> None:
    released = {"ImageDigestHex": "ab" * 32, "ReleaseVersion": "1.2.3", "TrafficShift": "canary"}
    changed = [BATCH, *(f"matteline-dev-functions-{each}" for each in CONTAINERS)]
    found = {name: problems(both[machines][name], released) for name in changed}

    assert {name: lines for name, lines in found.items() if lines} == {}


def test_every_action_exists_and_fits_its_resources(
    both: dict[str, Templates], machines: str
) -> None:
    found = [line for each in rights(both[machines]) for line in wrong_rights(each)]

    assert sorted(set(found)) == []


def test_no_statement_allows_every_action(stack: Deployed) -> None:
    every = [each for resource in stack for each in all_statements(resource.properties)]

    assert [each for each in every if "*" in str(each["Action"])] == []

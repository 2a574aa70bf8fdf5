"""A machine's permissions follow from its states; an unknown state raises."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

import pytest

from infra.app import ROOT
from infra.task_permissions import TaskPermissions, UnknownIntegration
from pipeline.declared.blueprint import Blueprint
from pipeline.declared.names import Names
from tests.infra.policies import allows

_NAMES: Final = Names("dev", account="123456789012", region="eu-central-1")
_BLUEPRINT: Final = Blueprint.read(ROOT, defaults=("starter",))
_MEMO: Final = _BLUEPRINT.products[0].model_copy(update={"name": "memo", "machine": "memo"})
_TWO_PRODUCTS: Final = replace(_BLUEPRINT, products=(*_BLUEPRINT.products, _MEMO))
_AWS: Final = "eu-central-1:123456789012"


def allowed(resource: str, parameters: Mapping[str, Any]) -> dict[str, Any]:
    """Return the granted resources by action, for a machine with this one Task state."""
    state = {"Type": "Task", "Resource": f"arn:aws:states:::{resource}", "Parameters": parameters}
    definition = json.dumps({"StartAt": "Only", "States": {"Only": state}})
    found = [
        each.to_statement_json()
        for each in TaskPermissions(_BLUEPRINT, _NAMES).statements(definition)
    ]
    return {
        action: statement["Resource"]
        for statement in found
        for action in ([statement["Action"]] if isinstance(statement["Action"], str)
                       else statement["Action"])
    }  # fmt: skip


def statements_of(machine: str, blueprint: Blueprint) -> list[dict[str, Any]]:
    definition = (ROOT / "state_machines" / f"{machine}.asl.json").read_text()
    found = TaskPermissions(blueprint, _NAMES).statements(definition)
    return [each.to_statement_json() for each in found]


def test_a_container_is_invoked_by_its_live_alias_only() -> None:
    assert allowed("lambda:invoke", {"FunctionName": "${EdgeRefinerArn}:live"}) == {
        "lambda:InvokeFunction": f"arn:aws:lambda:{_AWS}:function:dev-edge-refiner:live"
    }


def test_a_container_with_a_function_for_each_model_may_be_invoked_for_all_of_them() -> None:
    name = "States.Format('${BackgroundRemoverArn}-{}:live', $.plan.model)"

    arns = allowed("lambda:invoke", {"FunctionName.$": name})["lambda:InvokeFunction"]

    assert len(arns) == len(_BLUEPRINT.catalogue.rows_of("background-remover"))
    assert f"arn:aws:lambda:{_AWS}:function:dev-background-remover-starter:live" in arns


@pytest.mark.parametrize(
    ("resource", "parameters", "expected"),
    [
        (
            "dynamodb:updateItem",
            {"TableName": "${JobsTable}"},
            {"dynamodb:UpdateItem": f"arn:aws:dynamodb:{_AWS}:table/dev-jobs"},
        ),
        (
            "aws-sdk:dynamodb:query",
            {"TableName": "${JobsTable}", "IndexName": "by-execution"},
            {"dynamodb:Query": f"arn:aws:dynamodb:{_AWS}:table/dev-jobs/index/by-execution"},
        ),
        (
            "events:putEvents",
            {"Entries": [{"Source": "matteline"}]},
            {"events:PutEvents": f"arn:aws:events:{_AWS}:event-bus/default"},
        ),
    ],
)
def test_an_action_is_allowed_only_on_the_resource_it_names(
    resource: str, parameters: dict[str, Any], expected: dict[str, Any]
) -> None:
    assert allowed(resource, parameters) == expected


def test_objects_are_allowed_by_the_known_part_of_their_keys() -> None:
    written = allowed(
        "aws-sdk:s3:putObject",
        {
            "Bucket": "${QuarantineBucket}",
            "Key.$": "States.Format('{}/reason.json', $$.Execution.Name)",
        },
    )
    copied = allowed(
        "aws-sdk:s3:copyObject",
        {
            "Bucket": "${OutputBucket}",
            "Key.$": "$.key",
            "CopySource.$": "States.Format('${WorkBucket}/{}', $.work_key)",
        },
    )

    assert written["s3:PutObject"] == "arn:aws:s3:::dev-quarantine/*/reason.json"
    assert copied["s3:GetObject"] == "arn:aws:s3:::dev-work/*"
    assert copied["s3:PutObject"] == "arn:aws:s3:::dev-output/*"
    assert copied["kms:Decrypt"] == f"arn:aws:kms:{_AWS}:key/*"


@pytest.mark.parametrize(
    ("action", "granted"),
    [
        ("getObject", {"s3:GetObject"}),
        ("getObjectAttributes", {"s3:GetObject", "s3:GetObjectAttributes"}),
    ],
)
def test_a_missing_object_is_told_from_a_forbidden_one(action: str, granted: set[str]) -> None:
    found = allowed(f"aws-sdk:s3:{action}", {"Bucket": "${OutputBucket}", "Key.$": "$.key"})

    assert {name for name in found if name.startswith("s3:GetObject")} == granted
    assert {found[name] for name in granted} == {"arn:aws:s3:::dev-output/*"}
    assert found["s3:ListBucket"] == "arn:aws:s3:::dev-output"


def test_waiting_for_a_child_allows_its_alias_executions_and_the_watching_rule() -> None:
    found = allowed(
        "states:startExecution.sync:2", {"StateMachineArn": "${StageWeightsStateMachineArn}"}
    )

    child = f"arn:aws:states:{_AWS}"
    assert found["states:StartExecution"] == f"{child}:stateMachine:dev-stage-weights:live"
    assert found["states:DescribeExecution"] == f"{child}:execution:dev-stage-weights:*"
    assert found["events:PutRule"].endswith(
        "rule/StepFunctionsGetEventsForStepFunctionsExecutionRule"
    )


def test_a_machine_that_is_not_waited_for_may_only_be_started() -> None:
    found = allowed("states:startExecution", {"StateMachineArn": "${RecordFailureStateMachineArn}"})

    assert found == {
        "states:StartExecution": f"arn:aws:states:{_AWS}:stateMachine:dev-record-failure:live"
    }


@pytest.mark.parametrize("machine", ["cutout", "transcript"])
def test_a_products_machine_may_start_any_products_machine_that_it_hands_over_to(
    machine: str,
) -> None:
    started = [
        arn
        for each in statements_of(machine, _BLUEPRINT)
        if "states:StartExecution" in each["Action"]
        for arn in ([each["Resource"]] if isinstance(each["Resource"], str) else each["Resource"])
    ]

    child = f"arn:aws:states:{_AWS}:stateMachine:dev-"
    names = ("cutout", "faces", "run-on-batch", "stage-weights", "transcript")
    assert sorted(set(started)) == [f"{child}{name}:live" for name in names]


def test_jobs_are_submitted_to_the_stages_own_queues_and_nowhere_without_batch() -> None:
    without = statements_of("run-on-batch", _BLUEPRINT)
    statements = statements_of("run-on-batch", _BLUEPRINT.with_batch("gpu"))
    batch, submit = f"arn:aws:batch:{_AWS}", "batch:SubmitJob"
    own = f"{batch}:job-definition/dev-transcriber-whisper-base:7"

    assert allows(statements, submit, own)
    assert allows(statements, submit, f"{batch}:job-queue/dev-gpu-backfill")
    assert allows(statements, "batch:TerminateJob", f"{batch}:job/1a2b")
    assert not allows(statements, submit, f"{batch}:job-queue/dev-cpu-uploads")
    assert not allows(statements, submit, f"{batch}:job-definition/dev-http-api:1")
    assert "batch:" not in str(without)


def test_the_reaper_describes_executions_of_machines_that_claim_and_of_no_other() -> None:
    statements = statements_of("reap-jobs", _TWO_PRODUCTS)
    describe = "states:DescribeExecution"

    for machine in ("cutout", "memo", "collection"):
        assert allows(statements, describe, f"arn:aws:states:{_AWS}:execution:dev-{machine}:monday")
    assert not allows(statements, describe, f"arn:aws:states:{_AWS}:execution:dev-backfill:monday")
    assert not allows(statements, describe, f"arn:aws:states:{_AWS}:execution:dev-memo-two:monday")
    assert not allows(statements, "dynamodb:UpdateItem", f"arn:aws:dynamodb:{_AWS}:table/dev-jobs")


def test_a_backfill_starts_every_products_machine_and_no_other() -> None:
    statements = statements_of("backfill", _TWO_PRODUCTS)
    machines = f"arn:aws:states:{_AWS}:stateMachine:dev"

    for machine in ("cutout", "memo"):
        assert allows(statements, "states:StartExecution", f"{machines}-{machine}:live")
    for machine in ("stage-weights", "release-container", "memo-two"):
        assert not allows(statements, "states:StartExecution", f"{machines}-{machine}:live")


@pytest.mark.parametrize(
    ("resource", "parameters"),
    [
        ("aws-sdk:sfn:describeExecution", {"ExecutionArn": "${ExecutionArnPrefix}backfill:monday"}),
        ("aws-sdk:s3:deleteBucket", {"Bucket": "${OutputBucket}"}),
        ("glue:startJobRun.sync", {}),
        ("batch:submitJob.sync", {"JobDefinition": "somebody-elses", "JobQueue": "theirs"}),
        ("lambda:invoke", {"FunctionName": "${EdgeRefinerArn}"}),
        ("lambda:invoke", {"FunctionName": "somebody-elses:live"}),
    ],
)
def test_an_unknown_state_raises_with_its_name(resource: str, parameters: dict[str, Any]) -> None:
    with pytest.raises(UnknownIntegration, match=r"^Only: "):
        allowed(resource, parameters)


def test_states_inside_a_map_are_granted() -> None:
    definition = (ROOT / "state_machines" / "stage-weights.asl.json").read_text()

    (statement,) = TaskPermissions(_BLUEPRINT, _NAMES).statements(definition)

    arn = f"arn:aws:lambda:{_AWS}:function:dev-model-downloader:live"
    assert statement.to_statement_json()["Resource"] == arn


@pytest.mark.parametrize("action", ["DescribeExecution", "StopExecution", "RedriveExecution"])
@pytest.mark.parametrize("execution", ["dev-backfill:monday", "dev-backfill/ProcessPrefix:a-b-c"])
def test_a_distributed_map_may_manage_its_run_and_child_executions(
    action: str, execution: str
) -> None:
    definition = (ROOT / "state_machines" / "backfill.asl.json").read_text()
    found = TaskPermissions(_BLUEPRINT, _NAMES).of_maps("backfill", definition)
    statements = [each.to_statement_json() for each in found]

    assert allows(statements, f"states:{action}", f"arn:aws:states:{_AWS}:execution:{execution}")
    assert not allows(
        statements, f"states:{action}", f"arn:aws:states:{_AWS}:execution:dev-cutout:monday"
    )


def test_a_backfill_reads_key_lists_only_from_their_prefix() -> None:
    definition = (ROOT / "state_machines" / "backfill.asl.json").read_text()
    found = TaskPermissions(_BLUEPRINT, _NAMES).of_maps("backfill", definition)
    reads = [each.to_statement_json() for each in found]

    assert allows(reads, "s3:GetObject", "arn:aws:s3:::dev-work/backfill/lists/1a2b/photos.csv")
    assert not allows(reads, "s3:GetObject", "arn:aws:s3:::dev-ingest/photos.csv")
    assert not allows(reads, "s3:GetObject", "arn:aws:s3:::dev-work/1a2b/mask.png")


def test_a_backfill_writes_only_its_summary() -> None:
    definition = (ROOT / "state_machines" / "backfill.asl.json").read_text()
    found = TaskPermissions(_BLUEPRINT, _NAMES).statements(definition)
    writes = [each.to_statement_json() for each in found]

    assert allows(writes, "s3:PutObject", "arn:aws:s3:::dev-work/backfill/monday/summary.json")
    assert not allows(writes, "s3:PutObject", "arn:aws:s3:::dev-work/1a2b/mask.png")


def test_collections_are_changed_by_the_index_alone_and_photos_by_their_forgetter() -> None:
    """The machine itself touches no object but the reason of a quarantine."""
    statements = statements_of("collection", _BLUEPRINT)
    functions = f"arn:aws:lambda:{_AWS}:function:dev"
    objects = [each["Resource"] for each in statements if "s3:PutObject" in each["Action"]]

    assert allows(statements, "lambda:InvokeFunction", f"{functions}-vector-index:live")
    assert allows(statements, "lambda:InvokeFunction", f"{functions}-photo-forgetter")
    assert not allows(statements, "lambda:InvokeFunction", f"{functions}-media-inspector:live")
    assert objects == ["arn:aws:s3:::dev-quarantine/*/reason.json"]
    assert not [each for each in statements if "s3vectors" in str(each)]


def test_a_collection_starts_faces_and_no_other_machine() -> None:
    statements = statements_of("collection", _BLUEPRINT)
    machines = f"arn:aws:states:{_AWS}:stateMachine:dev"

    assert allows(statements, "states:StartExecution", f"{machines}-faces:live")
    for machine in ("cutout", "collection", "compact-collections", "stage-weights"):
        assert not allows(statements, "states:StartExecution", f"{machines}-{machine}:live")


def test_compaction_starts_collections_and_no_other_machine() -> None:
    statements = statements_of("compact-collections", _BLUEPRINT)
    machines = f"arn:aws:states:{_AWS}:stateMachine:dev"

    assert allows(statements, "states:StartExecution", f"{machines}-collection:live")
    assert not allows(statements, "states:StartExecution", f"{machines}-faces:live")
    assert not [each for each in statements if "s3:" in str(each)]


def test_a_deleted_photo_is_forgotten_by_two_functions() -> None:
    statements = statements_of("forget-photo", _BLUEPRINT)
    functions = f"arn:aws:lambda:{_AWS}:function:dev"

    assert allows(statements, "lambda:InvokeFunction", f"{functions}-photo-forgetter")
    assert allows(statements, "lambda:InvokeFunction", f"{functions}-vector-index:live")

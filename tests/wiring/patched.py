"""Run MiniStack with patches for what the templates and machines need.

`python -I patched.py TYPE…`, in its own environment. Resources of the named types are accepted and
do nothing; `differences.py` says why. The patches use private names, so the version is pinned.
"""

from __future__ import annotations

import json
import sys
from typing import Any

from ministack import app
from ministack.services import batch, stepfunctions
from ministack.services.cloudformation.provisioners import _RESOURCE_HANDLERS

_AS_ROOT = "AWS4-HMAC-SHA256 Credential=test/20260101/us-east-1/s3/aws4_request"

_GET_ATTRIBUTES = {
    "method": "GET",
    "path": "/{Bucket}/{Key+}",
    "static_query": (("attributes", ""),),
    "header_params": {"ObjectAttributes": "x-amz-object-attributes"},
}

Created = tuple[str, dict[str, str]]  # results of `Ref` and `Fn::GetAtt`


def inert(logical_id: str, _properties: dict[str, Any], _stack: str) -> Created:
    return logical_id, {}


def create_version(_logical_id: str, properties: dict[str, Any], _stack: str) -> Created:
    """Create an AWS::StepFunctions::StateMachineVersion."""
    made = _answer(
        stepfunctions._publish_state_machine_version(
            {
                "stateMachineArn": properties["StateMachineArn"],
                "revisionId": properties["StateMachineRevisionId"],
            }
        )
    )
    arn = made["stateMachineVersionArn"]
    return arn, {"Arn": arn}


def create_alias(_logical_id: str, properties: dict[str, Any], _stack: str) -> Created:
    """Create an AWS::StepFunctions::StateMachineAlias that points to its target version at once."""
    version = properties["DeploymentPreference"]["StateMachineVersionArn"]
    routing = [{"stateMachineVersionArn": version, "weight": 100}]
    alias = {"name": properties["Name"], "routingConfiguration": routing}
    arn = _answer(stepfunctions._create_state_machine_alias(alias))["stateMachineAliasArn"]
    return arn, {"Arn": arn}


def create_machines(logical_id: str, properties: dict[str, Any], stack: str) -> Created:
    """Create an AWS::Batch::ComputeEnvironment without a name."""
    named = {"computeEnvironmentName": f"{stack}-{logical_id}", **_as_api(properties)}
    arn = _answer(batch._create_compute_environment(named))["computeEnvironmentArn"]
    return arn, {"ComputeEnvironmentArn": arn}


def create_queue(_logical_id: str, properties: dict[str, Any], _stack: str) -> Created:
    """Create an AWS::Batch::JobQueue."""
    arn = _answer(batch._create_job_queue(_as_api(properties)))["jobQueueArn"]
    return arn, {"JobQueueArn": arn}


def define_job(_logical_id: str, properties: dict[str, Any], _stack: str) -> Created:
    """Register a revision of an AWS::Batch::JobDefinition."""
    arn = _answer(batch._register_job_definition(_as_api(properties)))["jobDefinitionArn"]
    return arn, {"JobDefinitionArn": arn}


def redefine_job(_arn: str, _before: object, after: dict[str, Any], stack: str) -> Created:
    return define_job("", after, stack)


def _as_api(value: Any) -> Any:
    """Spell the names of properties as the API of AWS Batch does: `minvCpus`."""
    if isinstance(value, dict):
        return {name[0].lower() + name[1:]: _as_api(each) for name, each in value.items()}
    return [_as_api(each) for each in value] if isinstance(value, list) else value


def _answer(response: tuple[int, dict[str, str], bytes | str]) -> dict[str, Any]:
    status, _, body = response
    if status != 200:
        raise ValueError(body)
    answer: dict[str, Any] = json.loads(body)
    return answer


def call_s3(service: dict[str, Any], name: str, action: str, parameters: dict[str, Any]) -> Any:
    """Run `aws-sdk:s3:putObject` like Step Functions: an object as Body is written as JSON."""
    if action != "putObject":
        return _call_rest_xml(service, name, action, parameters)
    status, headers, body = app.call_service_handler_sync(
        app.SERVICE_HANDLERS["s3"],
        "PUT",
        f"/{parameters['Bucket']}/{parameters['Key']}",
        {"authorization": _AS_ROOT, "content-type": parameters["ContentType"]},
        json.dumps(parameters["Body"]).encode(),
        {},
    )
    if status != 200:
        raise stepfunctions._ExecutionError("S3.S3Exception", str(body))
    return {"ETag": headers["ETag"]}


def start_and_wait(request: dict[str, Any]) -> Any:
    """Run `states:startExecution.sync` with the version that an alias points to."""
    arn = request["stateMachineArn"]
    resolved = stepfunctions._resolve_state_machine_arn(arn)
    return _start_and_wait(request | {"stateMachineArn": resolved or arn})


def pin_origin(source_ip: str, *_: object) -> None:
    """Mark every call as TLS: local calls are plain HTTP."""
    _pin_origin(source_ip, secure_transport=True)


_pin_origin = app.pin_request_origin
_call_rest_xml = stepfunctions._dispatch_aws_sdk_rest_xml
_start_and_wait = stepfunctions._start_sync_execution
stepfunctions._REST_XML_OP_SPECS["s3"]["GetObjectAttributes"] = _GET_ATTRIBUTES
stepfunctions._dispatch_aws_sdk_rest_xml = call_s3
stepfunctions._start_sync_execution = start_and_wait
app.pin_request_origin = pin_origin
_RESOURCE_HANDLERS |= {
    "AWS::StepFunctions::StateMachineVersion": {"create": create_version},
    "AWS::StepFunctions::StateMachineAlias": {"create": create_alias},
    "AWS::Batch::ComputeEnvironment": {"create": create_machines},
    "AWS::Batch::JobQueue": {"create": create_queue},
    "AWS::Batch::JobDefinition": {"create": define_job, "update": redefine_job},
    **{kind: {"create": inert} for kind in sys.argv[1:]},
}

if __name__ == "__main__":
    del sys.argv[1:]
    app.main()

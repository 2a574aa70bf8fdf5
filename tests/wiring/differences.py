"""List every difference between MiniStack and what a template says; `make check-wiring` prints it.

The check fails on a resource type that MiniStack does not know and this list lacks.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import Final

OVERLAID: Final[Mapping[str, str]] = {
    "AWS::Lambda::Function, its image": "images need Docker; the same handler runs from the "
    "working tree, with the images' runtime client",
    "AWS::Lambda::Function, its zip": "likewise: MiniStack's own Python replaces error names",
}
PATCHED: Final[Mapping[str, str]] = {
    "AWS::StepFunctions::StateMachineVersion": "MiniStack's CloudFormation does not know it; its "
    "Step Functions do",
    "AWS::StepFunctions::StateMachineAlias": "likewise; it moves at once, without its "
    "DeploymentPreference",
    "AWS::Batch::ComputeEnvironment, JobQueue and JobDefinition": "MiniStack's CloudFormation does "
    "not know them; its AWS Batch does, and runs no job",
    "arn:aws:states:::states:startExecution.sync:2, of an alias": "MiniStack resolves aliases "
    "in all other calls",
    "arn:aws:states:::aws-sdk:s3:putObject": "MiniStack's machines cannot write objects",
    "arn:aws:states:::aws-sdk:s3:getObjectAttributes": "MiniStack's S3 knows it, its machines do "
    "not",
}
INERT: Final[Mapping[str, str]] = {
    "AWS::CloudWatch::Alarm": "MiniStack rejects metric math, and no test needs alarms",
    "AWS::CloudWatch::CompositeAlarm": "likewise",
    "AWS::EC2::FlowLog": "there are no connections to write down",
    "AWS::CodeDeploy::Application": "MiniStack has no CodeDeploy",
    "AWS::CodeDeploy::DeploymentGroup": "MiniStack has no CodeDeploy: an alias moves at once",
    "AWS::Logs::QueryDefinition": "no test queries MiniStack's logs",
    "AWS::S3Vectors::VectorBucket": "MiniStack has no S3 Vectors; the local cloud has",
    "AWS::ECR::RegistryScanningConfiguration": "there are no images to scan",
    "AWS::ECR::SigningConfiguration": "there are no images to sign",
}
IGNORED: Final[Mapping[str, str]] = {
    "permissions of machines and rules": "MiniStack enforces IAM for calls of functions and for "
    "bucket policies; tests check machines and rules with IAM's policy simulator",
    "arn:aws:states:::batch:submitJob.sync": "MiniStack's machines cannot submit jobs: the local "
    "cloud's can, and here the rights to do it are checked",
    "conditions, in that simulator": "so events:PutEvents, limited by its source, is not checked",
    "policies of keys and queues, and permissions to use a key": "no call is denied",
    "encryption, object lock, lifecycle": "stored as properties, without effect",
    "TLS": "local calls are plain HTTP and count as encrypted",
    "HeartbeatSeconds, jitter, the machine's own TimeoutSeconds, missing paths, "
    "MaxConcurrencyPath": "MiniStack's interpreter ignores them; the local cloud's does not",
    "error names of the Step Functions API": "Sfn.ExecutionDoesNotExist, "
    "without AWS's suffix Exception; the reaper's test catches that name",
    "signatures of requests to the API": "MiniStack reads who signed, and the user's permissions",
    "the roles with which API Gateway calls functions": "it calls them without; template tests "
    "check what they allow",
    "limits, access log and CORS of the API's stage": "no request is refused or logged",
    "a rule's retry policy and dead letter queue": "every delivery succeeds",
}
_SECTIONS: Final = {
    "replaced": OVERLAID,
    "patched in MiniStack by these tests": PATCHED,
    "accepted, without effect": INERT,
    "stored, but not enforced": IGNORED,
}


def listing() -> str:
    """Return the whole list as text."""
    lines = []
    for heading, differences in _SECTIONS.items():
        lines.append(f"{heading}:")
        lines += [f"  {what}\n      {why}" for what, why in differences.items()]
    return "\n".join(lines)


if __name__ == "__main__":
    sys.stdout.write(f"{listing()}\n")

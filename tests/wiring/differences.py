"""Every way in which what MiniStack runs is not what the template says. `make check-wiring` tells.

A resource of a type that MiniStack does not know, and that is not here, fails the check.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import Final

OVERLAID: Final[Mapping[str, str]] = {
    "AWS::Lambda::Function, its image": "images need Docker; the same handler runs from the "
    "working tree, under the images' own runtime client",
    "AWS::Lambda::Function, its zip": "likewise: MiniStack's own Python names no error as it is",
}
TAUGHT: Final[Mapping[str, str]] = {
    "AWS::StepFunctions::StateMachineVersion": "MiniStack's CloudFormation does not know it, its "
    "Step Functions do",
    "AWS::StepFunctions::StateMachineAlias": "likewise; it moves at once, its DeploymentPreference "
    "is not played",
    "arn:aws:states:::states:startExecution.sync:2, of an alias": "MiniStack resolves aliases "
    "everywhere else",
    "arn:aws:states:::aws-sdk:s3:putObject": "MiniStack's machines cannot write objects",
}
INERT: Final[Mapping[str, str]] = {
    "AWS::CloudWatch::Alarm": "MiniStack refuses metric math, and nothing here watches metrics",
    "AWS::CloudWatch::CompositeAlarm": "likewise",
    "AWS::CodeDeploy::Application": "MiniStack has no CodeDeploy",
    "AWS::CodeDeploy::DeploymentGroup": "MiniStack has no CodeDeploy: an alias moves at once",
    "AWS::Logs::QueryDefinition": "nobody asks MiniStack's logs",
    "AWS::ECR::RegistryScanningConfiguration": "there are no images to scan",
    "AWS::ECR::SigningConfiguration": "there are no images to sign",
}
IGNORED: Final[Mapping[str, str]] = {
    "the rights of machines and rules": "MiniStack obeys IAM where a function calls: its role, the "
    "buckets' policies; what a machine and a rule may do is asked of IAM's simulation instead",
    "conditions, in that simulation": "so events:PutEvents, ours by its source, is not asked",
    "keys' and queues' policies, and the rights to use a key": "nobody is refused",
    "encryption, object lock, lifecycle": "kept as properties, without effect",
    "TLS": "calls on this machine are plain, and count as encrypted",
    "HeartbeatSeconds, jitter, the machine's own TimeoutSeconds, missing paths": "MiniStack's "
    "interpreter passes over them; the local cloud's does not",
    "what an error of Step Functions' own API is called in a machine": "Sfn.ExecutionDoesNotExist, "
    "without the Exception AWS puts behind it; the reaper's test catches it by that name",
    "a rule's retry policy and dead letter queue": "every delivery succeeds",
}
_SECTIONS: Final = {
    "replaced": OVERLAID,
    "done by ourselves inside MiniStack": TAUGHT,
    "accepted, without any effect": INERT,
    "kept, without being obeyed": IGNORED,
}


def told() -> str:
    """The whole list, for the terminal."""
    lines = []
    for heading, differences in _SECTIONS.items():
        lines.append(f"{heading}:")
        lines += [f"  {what}\n      {why}" for what, why in differences.items()]
    return "\n".join(lines)


if __name__ == "__main__":
    sys.stdout.write(f"{told()}\n")

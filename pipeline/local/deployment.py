"""Buckets, table, functions and machines, from the files that CDK reads too."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from pipeline.catalogue import Catalogue, load_catalogue
from pipeline.local.worker import Function
from pipeline.manifest import (
    ContainerManifest,
    Resources,
    load_containers,
    load_resources,
    pascal_case,
)

ACCOUNT: Final = "123456789012"
REGION: Final = "us-east-1"
PREFIX: Final = "matteline-local"
FUNCTION_ARN: Final = f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:"
_PLACEHOLDER: Final = re.compile(r"\$\{(\w+)\}")


@dataclass(frozen=True)
class Blueprint:
    """Everything the repository declares, read once."""

    root: Path
    state_machines: Path
    containers: tuple[ContainerManifest, ...]
    catalogue: Catalogue
    resources: Resources
    default_model: str
    overlays: tuple[Path, ...] = ()

    @classmethod
    def read(
        cls,
        root: Path,
        *,
        default_model: str,
        overlays: tuple[Path, ...] = (),
        accepted_licences: tuple[str, ...] = (),
    ) -> Blueprint:
        catalogue = load_catalogue(root, overlays, accepted_licences=accepted_licences)
        catalogue.row(default_model)
        return cls(
            root=root,
            state_machines=root / "state_machines",
            containers=load_containers(root),
            catalogue=catalogue,
            resources=load_resources(root),
            default_model=default_model,
            overlays=overlays,
        )

    def functions(self, environment: Mapping[str, str]) -> tuple[Function, ...]:
        """One function per container, or one per model row where the manifest says so."""
        return tuple(
            Function(
                name=function_name(manifest.name, row.name if row else None),
                handler=manifest.handler,
                memory_mb=row.memory_mb if row else manifest.memory_mb,
                timeout_s=manifest.timeout_s,
                environment={**manifest.environment, **environment},
            )
            for manifest in self.containers
            for row in (self.catalogue.rows if manifest.function_per_model else (None,))
        )

    def machines(self) -> dict[str, str]:
        """Name → definition, placeholders filled in."""
        substitutions = self.substitutions()
        return {
            path.name.removesuffix(".asl.json"): fill(path.read_text(), substitutions)
            for path in sorted(self.state_machines.glob("*.asl.json"))
        }

    def trigger(self) -> str:
        """The event pattern of the rule that starts `cutout`."""
        path = self.state_machines / "cutout.trigger.json"
        return fill(path.read_text(), self.substitutions())

    def substitutions(self) -> dict[str, str]:
        """Every `${Placeholder}` a state machine may use, as CDK's definition substitutions."""
        machines = [path.name.split(".")[0] for path in self.state_machines.glob("*.asl.json")]
        return {
            **{row.placeholder: function_arn(row.name) for row in self.containers},
            **{f"{pascal_case(name)}StateMachineArn": machine_arn(name) for name in machines},
            **{f"{pascal_case(name)}Bucket": bucket(name) for name in self.resources.buckets},
            **{f"{pascal_case(name)}Table": table(name) for name in self.resources.tables},
            "DefaultModel": self.default_model,
        }


def warm_functions(blueprint: Blueprint) -> list[str]:
    """The functions a photo with default options passes through."""
    return [
        function_name(row.name, blueprint.default_model if row.function_per_model else None)
        for row in blueprint.containers
    ]


def fill(text: str, substitutions: Mapping[str, str]) -> str:
    """Replace every `${Name}`; KeyError for one that nothing provides."""
    return _PLACEHOLDER.sub(lambda match: substitutions[match[1]], text)


def bucket(name: str) -> str:
    return f"{PREFIX}-{name}"


def table(name: str) -> str:
    return f"{PREFIX}-{name}"


def function_name(container: str, model: str | None) -> str:
    """A container's function, or its function for one model."""
    return f"{PREFIX}-{container}-{model}" if model else f"{PREFIX}-{container}"


def function_arn(name: str) -> str:
    return f"{FUNCTION_ARN}{function_name(name, None)}"


def machine_arn(name: str) -> str:
    return f"arn:aws:states:{REGION}:{ACCOUNT}:stateMachine:{PREFIX}-{name}"


def deploy(blueprint: Blueprint, client: Any) -> str:
    """Create it all through the API; return the URL of the queue the trigger fills."""
    _create_buckets(blueprint.resources, client("s3"))
    _create_tables(blueprint.resources, client("dynamodb"))
    states = client("stepfunctions")
    role = f"arn:aws:iam::{ACCOUNT}:role/{PREFIX}"
    for name, definition in blueprint.machines().items():
        states.create_state_machine(name=f"{PREFIX}-{name}", definition=definition, roleArn=role)
    return _create_trigger(blueprint, client)


def _create_buckets(resources: Resources, s3: Any) -> None:
    for name, declared in resources.buckets.items():
        s3.create_bucket(Bucket=bucket(name))
        if declared.versioned:
            s3.put_bucket_versioning(
                Bucket=bucket(name), VersioningConfiguration={"Status": "Enabled"}
            )
        if declared.events:
            s3.put_bucket_notification_configuration(
                Bucket=bucket(name), NotificationConfiguration={"EventBridgeConfiguration": {}}
            )


def _create_tables(resources: Resources, dynamodb: Any) -> None:
    for name, declared in resources.tables.items():
        dynamodb.create_table(
            TableName=table(name),
            KeySchema=[{"AttributeName": declared.key, "KeyType": "HASH"}],
            AttributeDefinitions=[{"AttributeName": declared.key, "AttributeType": "S"}],
            BillingMode="PAY_PER_REQUEST",
        )


def _create_trigger(blueprint: Blueprint, client: Any) -> str:
    """Fill a queue: moto cannot target a state machine, so `event_bridge` empties it into one."""
    queue_url: str = client("sqs").create_queue(QueueName=f"{PREFIX}-cutout")["QueueUrl"]
    events = client("events")
    events.put_rule(Name=f"{PREFIX}-cutout", EventPattern=blueprint.trigger())
    queue_arn = f"arn:aws:sqs:{REGION}:{ACCOUNT}:{PREFIX}-cutout"
    events.put_targets(Rule=f"{PREFIX}-cutout", Targets=[{"Id": "queue", "Arn": queue_arn}])
    return queue_url

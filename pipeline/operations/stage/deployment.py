"""Read the state of a deployment: its stacks, and which version of each container is live."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

from pipeline.declared.blueprint import Blueprint
from pipeline.declared.names import PROJECT, STACKS
from pipeline.operations.site import Site

_ASKED: Final = ("page", "batch")  # stacks that a stage has only if its settings say so
_PARTS: Final = tuple(part for part in STACKS if part not in _ASKED)


@dataclass(frozen=True)
class Deployment:
    """A stage on AWS, what the repository declares of it, and its settings in `infra/cdk.json`."""

    site: Site
    blueprint: Blueprint
    settings: Mapping[str, Any]

    @property
    def batch(self) -> bool:
        """True if the settings ask for AWS Batch, or its stack is there."""
        return self.blueprint.batch != "off" or self.stack_name("batch") in self.stacks

    @property
    def expected_stacks(self) -> list[str]:
        """Return the names of the stacks that a deployment has, in the order of their creation."""
        first, second, *rest = map(self.stack_name, _PARTS)
        functions = [
            self.site.names.function_stack(each.name) for each in self.blueprint.containers
        ]
        asked = [self.stack_name("page")] if self.settings.get("page") in {True, "true"} else []
        if self.blueprint.batch != "off":
            asked.append(self.stack_name("batch"))
        return [f"{PROJECT}-registry", first, second, *functions, *rest, *asked]

    def stack_name(self, part: str) -> str:
        return f"{self.site.names.prefix}-{part}"

    @cached_property
    def stacks(self) -> dict[str, dict[str, Any]]:
        """Return the expected stacks that exist, and those of the stage, by name."""
        pages = self.site.client("cloudformation").get_paginator("describe_stacks").paginate()
        return {
            each["StackName"]: each
            for page in pages
            for each in page["Stacks"]
            if self.site.names.owns_stack(each["StackName"])
            or each["StackName"] == f"{PROJECT}-registry"
        }

    def output(self, part: str, name: str) -> str | None:
        """Return an output of a stack; None if there is no such stack or output."""
        told = self.stacks.get(self.stack_name(part), {}).get("Outputs", ())
        return next((each["OutputValue"] for each in told if each["OutputKey"] == name), None)

    @cached_property
    def released(self) -> dict[str, str]:
        """Return the live version of each container that was released."""
        path = self.site.names.release_record("").rstrip("/")
        pages = self.site.client("ssm").get_paginator("get_parameters_by_path").paginate(Path=path)
        return {
            each["Name"].rpartition("/")[2]: json.loads(each["Value"])["version"]
            for page in pages
            for each in page["Parameters"]
        }

    @property
    def checkout(self) -> dict[str, str]:
        """Return the version of each container in this repository."""
        return {each.name: each.version for each in self.blueprint.containers}

    @property
    def unreleased(self) -> list[str]:
        """Return the containers that were never released."""
        return [name for name in self.checkout if name not in self.released]

    @property
    def outdated(self) -> list[str]:
        """Return the containers whose live version is not this repository's."""
        return [
            name for name, version in self.released.items()
            if self.checkout.get(name, version) != version
        ]  # fmt: skip

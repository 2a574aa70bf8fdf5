"""A deployment of which only what is asked for is there."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, cast

import boto3

from pipeline.names import LOCAL_NAMES, Names
from pipeline.operations.site import Site


@dataclass(frozen=True, eq=False)
class FakeSite:
    """Answers with the object versions and redrives it is given."""

    versions: list[dict[str, Any]] = field(default_factory=list)
    redriven: list[str] = field(default_factory=list)
    names: Names = LOCAL_NAMES
    real: Any = None

    @property
    def site(self) -> Site:
        return Site(self.names, cast("boto3.Session", self))

    def client(self, service: str, **_: Any) -> Any:
        return self if service in {"s3", "stepfunctions"} else self.real.client(service)

    def get_paginator(self, _name: str) -> Any:
        return self

    def paginate(self, **_: Any) -> list[dict[str, Any]]:
        return [{"Versions": self.versions}]

    def redrive_execution(self, *, executionArn: str) -> None:  # noqa: N803 - as boto3 has it
        self.redriven.append(executionArn)

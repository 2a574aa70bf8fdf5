"""A deployment with two products, of which only what is asked for exists."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any, Final, cast

import boto3
from botocore.exceptions import ClientError

from pipeline.declared.names import LOCAL_NAMES, Names
from pipeline.declared.products import Product
from pipeline.operations.site import Site

CUTOUT: Final = Product(name="cutout", machine="cutout", summary="Photos.", record="_cut.json")
TRANSCRIPT: Final = Product(
    name="transcript",
    machine="write-transcript",
    summary="Recordings.",
    record="_text.json",
    suffixes=(".mp3",),
)
PRODUCTS: Final = (CUTOUT, TRANSCRIPT)


@dataclass(frozen=True, eq=False)
class FakeSite:
    """Answers with the object versions it is given, and takes redrives.

    `uploaded` has when the latest version of each key came.
    """

    versions: list[dict[str, Any]] = field(default_factory=list)
    uploaded: dict[str, datetime] = field(default_factory=dict)
    redriven: list[str] = field(default_factory=list)
    names: Names = LOCAL_NAMES
    real: Any = None
    refusal: ClientError | None = None
    last_events: tuple[str, ...] = ("ExecutionFailed", "TaskFailed")
    status: str = "FAILED"
    timeout_s: int = 10_800

    @property
    def site(self) -> Site:
        return Site(self.names, cast("boto3.Session", self), PRODUCTS)

    def client(self, service: str, **_: Any) -> Any:
        return self if service in {"s3", "stepfunctions"} else self.real.client(service)

    def get_paginator(self, _name: str) -> Any:
        return self

    def paginate(self, **_: Any) -> list[dict[str, Any]]:
        return [{"Versions": self.versions}]

    @property
    def exceptions(self) -> Any:
        return SimpleNamespace(ClientError=ClientError)

    def head_object(self, *, Bucket: str, Key: str) -> dict[str, Any]:  # noqa: ARG002, N803
        if Key not in self.uploaded:
            raise ClientError({"Error": {"Code": "404", "Message": ""}}, "HeadObject")
        return {"ETag": '"etag"', "ContentLength": 1, "LastModified": self.uploaded[Key]}

    def get_execution_history(self, **_: Any) -> dict[str, Any]:
        return {"events": [{"type": name} for name in self.last_events]}

    def describe_execution(self, *, executionArn: str) -> dict[str, Any]:  # noqa: N803
        told = {"executionArn": executionArn, "status": self.status, "input": "{}"}
        return told | {"error": "StoreUnavailable", "startDate": datetime.now(UTC)}

    def describe_state_machine_for_execution(self, *, executionArn: str) -> dict[str, Any]:  # noqa: N803
        return {"definition": json.dumps({"TimeoutSeconds": self.timeout_s})} | {
            "stateMachineArn": executionArn
        }

    def redrive_execution(self, *, executionArn: str) -> None:  # noqa: N803 - as boto3 has it
        if self.refusal is not None:
            raise self.refusal
        self.redriven.append(executionArn)

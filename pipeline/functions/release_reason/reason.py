"""Explain a failed release from CloudFormation events and smoke-test verdicts."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from pipeline.functions.release_reason.contract import ReadReason, ReasonRead
from pipeline.releases import errors as release_errors
from pipeline.releases.errors import BrokenRelease

_CONSEQUENCE: Final = "Resource update cancelled"  # CloudFormation's words for consequences
_MOST_FAILURES: Final = 3

Event = Mapping[str, Any]


@dataclass(frozen=True)
class Reasons:
    """The sources of a release's reasons: boto3 clients of CloudFormation and S3."""

    cloudformation: Any
    s3: Any

    def read(self, job: ReadReason) -> ReasonRead:
        kind: type[BrokenRelease] = getattr(release_errors, job.error)
        smoke = self._smoke(job)
        failures = first_failures(self._events(job), token=job.token)
        said = "; ".join([*smoke, *failures]) or "CloudFormation gives no reason"
        error = kind(f"{job.container} {job.version}: {job.stack} is {job.status}: {said}")
        return ReasonRead(job.error, str(error))

    def _events(self, job: ReadReason) -> Iterable[Event]:
        pages = self.cloudformation.get_paginator("describe_stack_events")
        return (
            event for page in pages.paginate(StackName=job.stack) for event in page["StackEvents"]
        )

    def _smoke(self, job: ReadReason) -> list[str]:
        """Return one line for each failed smoke test of this image; empty if none ran."""
        listed = self.s3.list_objects_v2(Bucket=job.evidence_bucket, Prefix=job.smoke_prefix)
        keys = [stored["Key"] for stored in listed.get("Contents", [])]
        verdicts = [self._read(job.evidence_bucket, key) for key in keys]
        return [
            f"smoke test of {verdict['function']}: {verdict['said']}"
            for verdict in verdicts
            if not verdict["passed"]
        ]

    def _read(self, bucket: str, key: str) -> dict[str, Any]:
        content: dict[str, Any] = json.loads(
            self.s3.get_object(Bucket=bucket, Key=key)["Body"].read()
        )
        return content


def first_failures(events: Iterable[Event], *, token: str) -> list[str]:
    """Return the first failures of the update that `token` marks; `events` come newest first.

    Failures that only followed from another one are left out.
    """
    failures = [
        f"{event['LogicalResourceId']}: {event['ResourceStatusReason']}"
        for event in _of_this_update(events, token)
        if event["ResourceStatus"].endswith("_FAILED")
        and not event.get("ResourceStatusReason", _CONSEQUENCE).startswith(_CONSEQUENCE)
    ]
    return failures[::-1][:_MOST_FAILURES]


def _of_this_update(events: Iterable[Event], token: str) -> Iterable[Event]:
    """Yield events until the first one of another update."""
    for event in events:
        if event.get("ClientRequestToken") != token:
            return
        yield event

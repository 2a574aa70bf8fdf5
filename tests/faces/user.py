"""Drops photos of people, and looks at what came of them."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from pipeline.local.deployment import NAMES
from pipeline.operations.executions import Execution
from pipeline.session.watching import describe
from tests.calm import wait_for_calm
from tests.execution.driver import PATIENCE_S, Driver

LONG_AGO: Final = datetime(2000, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class People:
    driver: Driver

    def drop(self, photo: bytes, key: str, **options: str) -> dict[str, Execution]:
        """Upload a photo; return the last execution of each machine that it started, once ended."""
        since = datetime.now(UTC)
        self.driver.put(photo, key, **options)
        self.wait()
        return self.executions(key, since)

    def wait(self) -> None:
        """Wait until nothing runs."""
        wait_for_calm(self.driver.cloud, patience_s=PATIENCE_S)

    def ask(self, photo: bytes, key: str, **options: str) -> Execution:
        """Upload a photo that asks for its faces; return the execution of the faces machine."""
        return self.drop(photo, key, product="faces", **options)["faces"]

    def executions(self, key: str, since: datetime = LONG_AGO) -> dict[str, Execution]:
        """Return the last execution of a key in each machine that has started one since then."""
        states = self.driver.cloud.client("stepfunctions")
        found = {}
        for machine in ("cutout", "faces", "transcript"):
            pages = states.get_paginator("list_executions").paginate(
                stateMachineArn=NAMES.machine_arn(machine)
            )
            rows = sorted(
                (row for page in pages for row in page["executions"] if row["startDate"] >= since),
                key=lambda row: row["startDate"],
            )
            for row in rows:
                execution = describe(states, row["executionArn"])
                if execution.key == key:
                    found[machine] = execution
        return found

    def start(self, key: str, *, machine: str = "faces", **given: Any) -> Execution:
        """Start an execution by hand and wait for its end."""
        asked = {"bucket": NAMES.bucket("ingest"), "key": key, **given}
        arn = self.driver.begin(asked, machine=machine)
        self.driver.wait_until_ended(arn)
        return describe(self.driver.cloud.client("stepfunctions"), arn)

    def record(self, key: str) -> dict[str, Any]:
        """Return the output record beside a photo's path."""
        stem = key.rpartition(".")[0]
        found: dict[str, Any] = json.loads(self.read("output", f"{stem}_faces.record.json"))
        return found

    def read(self, bucket: str, key: str) -> bytes:
        return self.driver.read(f"s3://{NAMES.bucket(bucket)}/{key}")

    def published(self, stem: str) -> list[str]:
        """Return the ends of the keys of what is published beside a photo, in order."""
        keys = self.driver.keys("output", prefix=stem)
        return sorted(key.removeprefix(stem) for key in keys)

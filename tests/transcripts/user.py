"""Drops recordings, and looks at what came of them."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from pipeline.local.deployment import NAMES
from pipeline.operations.executions import Execution
from tests.execution.driver import Driver
from tests.transcripts.stubs.script import TRIED, Script


@dataclass(frozen=True)
class Recordings:
    driver: Driver

    def drop(self, script: Script, key: str, **options: str) -> Execution:
        """Upload a recording and wait for the execution that its event starts."""
        return self.driver.drop(script.recording(), key, **options)

    def record(self, key: str) -> dict[str, Any]:
        """Return the output record beside a recording's path."""
        stem = key.rpartition(".")[0]
        place = f"{stem}_transcript.record.json"
        found: dict[str, Any] = json.loads(self.read("output", place))
        return found

    def read(self, bucket: str, key: str) -> bytes:
        answer = self.driver.s3.get_object(Bucket=NAMES.bucket(bucket), Key=key)
        content: bytes = answer["Body"].read()
        return content

    def calls(self, execution: Execution) -> dict[str, int]:
        """Return how often each model's task was called, by `<model>` or `<model>/<index>`."""
        folder = f"{TRIED}/{execution.arn}/"
        keys = self.driver.keys("work", prefix=folder)
        return {key.removeprefix(folder): int(self.read("work", key)) for key in keys}

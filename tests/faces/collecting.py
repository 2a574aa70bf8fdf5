"""Asks for actions of collections, as an operator does, and looks at what came of them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from pipeline.local.deployment import NAMES
from pipeline.operations.executions import Execution
from pipeline.session.watching import describe
from tests.execution.driver import Driver

CONSENT: Final = {"purpose": "door control", "legal_basis": "consent", "retention_days": 30}
COLLECTION: Final = "collection"


@dataclass(frozen=True)
class Runs:
    driver: Driver

    def ask(self, *, machine: str = COLLECTION, **asked: Any) -> Execution:
        """Run the machine with this input, and wait for its end."""
        return self.given(asked, machine=machine)

    def given(self, execution_input: object, *, machine: str = COLLECTION) -> Execution:
        """Run the machine with any input at all."""
        arn = self.driver.begin(execution_input, machine=machine)
        self.driver.wait_until_ended(arn)
        return describe(self.driver.cloud.client("stepfunctions"), arn)

    def create(self, name: str, **asked: Any) -> Execution:
        return self.ask(action="create", collection=name, consent=CONSENT, **asked)

    def result(self, **asked: Any) -> Mapping[str, Any]:
        """Return the result of an action that succeeds."""
        ended = self.ask(**asked)
        assert ended.status == "SUCCEEDED", ended.reason
        found: Mapping[str, Any] = ended.output["result"]
        return found

    def row(self, run: Execution) -> dict[str, str]:
        return self.driver.record(run.name)

    def vectors(self, name: str) -> Mapping[str, Any]:
        """Describe a collection by the function itself."""
        asked = {
            "schema": 1, "action": "describe", "collection": name, "execution": "a test",
            "asked_by": "a test", "asked_at": "2026-11-30T12:00:00Z",
            "collections_bucket": NAMES.bucket("collections"),
            "vector_bucket": NAMES.vector_bucket("collections"),
        }  # fmt: skip
        answer = self.driver.cloud.client("lambda").invoke(
            FunctionName=NAMES.function("vector-index"), Payload=json.dumps(asked)
        )
        (found,) = json.loads(answer["Payload"].read())["collections"]
        described: Mapping[str, Any] = found
        return described

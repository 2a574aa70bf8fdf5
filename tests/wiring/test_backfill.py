"""The backfill machine on MiniStack, which counts failed items of a distributed Map.

Stand-ins replace the products' machines. `_runnable` removes what MiniStack lacks.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from dataclasses import replace
from typing import Any, Final

import pytest

from pipeline.declared.blueprint import Blueprint
from pipeline.local.deployment import NAMES
from pipeline.operations.backfill.lists import LISTS
from tests.conftest import ROOT
from tests.wiring.ministack import MiniStack, ministack

pytestmark = pytest.mark.wiring

_DECLARED: Final = Blueprint.read(ROOT)
_MEMO: Final = _DECLARED.products[0].model_copy(update={"name": "memo", "machine": "write-memo"})
PRODUCTS: Final = (_DECLARED.products[0], _MEMO)
BLUEPRINT: Final = replace(_DECLARED, products=PRODUCTS)
ROLE: Final = f"arn:aws:iam::{NAMES.account}:role/backfill"
PATIENCE_S: Final = 30
INGEST: Final = NAMES.bucket("ingest")
WORK: Final = NAMES.bucket("work")
FILES: Final = {
    "one.jsonl": b'{"key": "old/1.jpg", "machine": "cutout"}\n',
    "memos.jsonl": b'{"key": "old/1.jpg", "machine": "write-memo"}\n'
    b'{"key": "old/2.jpg", "machine": "write-memo"}\n',
    "both.jsonl": b'{"key": "old/1.jpg", "machine": "cutout"}\n'
    b'{"key": "old/2.jpg", "machine": "write-memo"}\n',
    "unknown.jsonl": b'{"key": "old/1.jpg", "machine": "release-container"}\n',
}


def _end(status: str) -> dict[str, Any]:
    return {"Type": "Pass", "Parameters": {"status": status, "job_id.$": "$.key"}, "End": True}


# A key with "bad" fails, one with "again" is a duplicate, all others are done.
STAND_IN: Final = {
    "StartAt": "Bad?",
    "States": {
        "Bad?": {
            "Type": "Choice",
            "Choices": [
                {"Variable": "$.key", "StringMatches": "*bad*", "Next": "Refused"},
                {"Variable": "$.key", "StringMatches": "*again*", "Next": "Duplicate"},
            ],
            "Default": "Done",
        },
        "Done": _end("DONE"),
        "Duplicate": _end("DUPLICATE"),
        "Refused": {"Type": "Fail", "Error": "NoSubject", "Cause": "no subject"},
    },
}


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MiniStack]:
    with ministack(tmp_path_factory.mktemp("ministack") / "log") as stack:
        s3, states = stack.client("s3"), stack.client("stepfunctions")
        for name in ("ingest", "work"):
            s3.create_bucket(Bucket=NAMES.bucket(name))
        for key in ("old/1.jpg", "old/2.jpg", "old/again.jpg", "mixed/bad.jpg", "mixed/3.jpg"):
            s3.put_object(Bucket=INGEST, Key=key, Body=b"photo")
        s3.put_object(Bucket=INGEST, Key="old/", Body=b"")
        for name, content in FILES.items():
            s3.put_object(Bucket=WORK, Key=f"{LISTS}{name}", Body=content)
        for product in PRODUCTS:
            states.create_state_machine(
                name=NAMES.machine(product.machine), definition=json.dumps(STAND_IN), roleArn=ROLE
            )
        yield stack


def test_every_object_below_a_prefix_is_processed_but_folders_are_not(stack: MiniStack) -> None:
    ended = _backfill(stack, {"prefix": "old/"})

    assert ended["status"] == "SUCCEEDED", ended
    assert _counts(ended) == {"total": 4, "succeeded": 4, "failed": 0}
    assert _processed(stack, "old/", "cutout") == {"old/1.jpg", "old/2.jpg", "old/again.jpg"}


def test_a_list_selects_the_objects(stack: MiniStack) -> None:
    assert _counts(_backfill(stack, {"list": "one.jsonl"}))["total"] == 1


def test_each_line_names_the_machine_that_processes_its_object(stack: MiniStack) -> None:
    before = _processed(stack, "old/", "cutout")

    ended = _backfill(stack, {"list": "memos.jsonl"})

    assert ended["status"] == "SUCCEEDED", ended
    assert _processed(stack, "old/", "write-memo") == {"old/1.jpg", "old/2.jpg"}
    assert _processed(stack, "old/", "cutout") == before
    assert _counts(_backfill(stack, {"list": "both.jsonl"})) == {
        "total": 2, "succeeded": 2, "failed": 0,
    }  # fmt: skip


def test_a_line_with_a_machine_of_no_product_fails_by_itself(stack: MiniStack) -> None:
    ended = _backfill(stack, {"list": "unknown.jsonl"}, tolerated=100)

    assert _counts(ended) == {"total": 1, "succeeded": 0, "failed": 1}


@pytest.mark.parametrize("machine", ["transcript", "release-container"])
def test_a_machine_of_no_product_starts_nothing_and_fails_the_backfill(
    stack: MiniStack, machine: str
) -> None:
    ended = _backfill(stack, {"prefix": "old/", "machine": machine})

    assert (ended["status"], ended["error"]) == ("FAILED", "UnknownMachine")
    assert ended["cause"].endswith("may name one of: cutout write-memo.")
    assert _summary(stack, ended)["counts"]["total"] == 0


def test_too_many_failures_fail_the_backfill_with_a_summary(
    stack: MiniStack,
) -> None:
    ended = _backfill(stack, {"prefix": "mixed/"}, tolerated=5)

    assert (ended["status"], ended["error"]) == ("FAILED", "TooManyFailed")
    assert "More than 5% of the objects failed" in ended["cause"]
    summary = _summary(stack, ended)
    assert (summary["error"], summary["cause"]) == ("TooManyFailed", ended["cause"])
    assert summary["counts"]["failed"] == 1


def test_a_missing_list_fails_the_backfill_with_an_empty_summary(
    stack: MiniStack,
) -> None:
    ended = _backfill(stack, {"list": "nowhere.jsonl"})

    assert (ended["status"], ended["error"]) == ("FAILED", "ObjectsNotListed")
    assert "matteline backfill start --list FILE" in ended["cause"]
    assert _summary(stack, ended)["counts"]["total"] == 0


def test_a_successful_backfill_has_a_summary_without_an_error(stack: MiniStack) -> None:
    ended = _backfill(stack, {"list": "one.jsonl"})

    summary = _summary(stack, ended)
    assert (summary["error"], summary["cause"]) == (None, None)
    assert summary["counts"] == json.loads(ended["output"])["counts"]


def test_tolerated_failures_are_counted(stack: MiniStack) -> None:
    ended = _backfill(stack, {"prefix": "mixed/"}, tolerated=50)

    assert ended["status"] == "SUCCEEDED", ended
    assert _counts(ended) == {"total": 2, "succeeded": 1, "failed": 1}


def _backfill(stack: MiniStack, asked: dict[str, Any], *, tolerated: float = 5) -> dict[str, Any]:
    """Deploy the machine as far as MiniStack can run it, run it, return its description."""
    states = stack.client("stepfunctions")
    definition = json.loads(BLUEPRINT.machines(NAMES)["backfill"])
    name = f"backfill-{time.time_ns()}"
    arn = states.create_state_machine(
        name=name, definition=json.dumps(_runnable(definition, tolerated)), roleArn=ROLE
    )["stateMachineArn"]
    started = states.start_execution(stateMachineArn=arn, input=json.dumps(asked))["executionArn"]
    deadline = time.monotonic() + PATIENCE_S
    while (ended := states.describe_execution(executionArn=started))["status"] == "RUNNING":
        assert time.monotonic() < deadline, "the backfill does not end"
        time.sleep(0.05)
    answer: dict[str, Any] = ended
    return answer


def _runnable(definition: dict[str, Any], tolerated: float) -> dict[str, Any]:
    """Remove what MiniStack lacks: limits by path, and ResultWriter, which it ignores."""
    for state in definition["States"].values():
        if state["Type"] == "Map":
            state["ToleratedFailurePercentage"] = tolerated
    return definition


def _summary(stack: MiniStack, ended: dict[str, Any]) -> dict[str, Any]:
    key = f"backfill/{ended['name']}/summary.json"
    content = stack.client("s3").get_object(Bucket=WORK, Key=key)["Body"].read()
    summary: dict[str, Any] = json.loads(content)
    return summary


def _counts(ended: dict[str, Any]) -> dict[str, int]:
    counts: dict[str, int] = json.loads(ended["output"])["counts"]
    return {name: counts[name] for name in ("total", "succeeded", "failed")}


def _processed(stack: MiniStack, prefix: str, machine: str) -> set[str]:
    """Return the keys that got an execution of a product's machine."""
    states = stack.client("stepfunctions")
    listed = states.list_executions(stateMachineArn=NAMES.machine_arn(machine))["executions"]
    arns = [row["executionArn"] for row in listed]
    keys = {json.loads(states.describe_execution(executionArn=arn)["input"])["key"] for arn in arns}
    return {key for key in keys if key.startswith(prefix)}

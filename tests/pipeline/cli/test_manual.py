"""What `matteline up` prints has commands for every product."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from pipeline.cli.manual import instructions, narrate
from pipeline.declared.blueprint import Blueprint
from pipeline.declared.names import LOCAL_NAMES
from pipeline.operations.executions import Execution
from tests.conftest import ROOT


def test_an_execution_of_each_product_can_be_started_and_found() -> None:
    blueprint = Blueprint.read(ROOT)
    changes = {"name": "memo", "machine": "write-memo", "suffixes": (".txt",)}
    memo = blueprint.products[0].model_copy(update=changes)
    grown = replace(blueprint, products=(*blueprint.products, memo))
    cloud: Any = SimpleNamespace(
        endpoint="http://x", api="http://x/api", blueprint=grown, logs=Path("logs")
    )

    told = instructions(cloud)

    for product in grown.products:
        arn = LOCAL_NAMES.machine_arn(product.machine)
        assert f"start-execution --state-machine-arn {arn} " in told
        assert f"list-executions --state-machine-arn {arn}\n" in told
    assert "matteline jobs list --endpoint-url http://x\n" in told
    assert "  http://x/#/console\n" in told
    for key in ("cat.jpg", "talk.mp3", "example.txt"):
        assert f'"key": "{key}"' in told


def test_an_execution_that_was_stopped_without_a_cause_is_said_to_be_stopped() -> None:
    stopped = Execution(
        "arn:x:one", "ABORTED", {"bucket": "in", "key": "cat.jpg"}, None, error=None, cause=None
    )
    told: list[str] = []

    with pytest.raises(IndexError):
        narrate(_Heard(stopped), told.append)  # type: ignore[arg-type]

    assert told == ["ABORTED     cat.jpg  stopped before it finished"]


def test_a_key_cannot_command_the_terminal() -> None:
    key = "a\x1b]0;b\x07\n.jpg"
    stopped = Execution(
        "arn:x:one", "ABORTED", {"bucket": "in", "key": key}, None, error=None, cause=None
    )
    told: list[str] = []

    with pytest.raises(IndexError):
        narrate(_Heard(stopped), told.append)  # type: ignore[arg-type]

    assert told[0].startswith(r"ABORTED     a\x1b]0;b\x07\n.jpg  stopped")


class _Heard:
    """Listeners that hear these executions, then raise IndexError."""

    def __init__(self, *executions: Execution) -> None:
        self._left = list(executions)

    @contextlib.contextmanager
    def of(self, _: str) -> Iterator[_Heard]:
        yield self

    def get(self) -> Execution:
        return self._left.pop(0)

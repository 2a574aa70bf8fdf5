"""Executions of every product are noticed as they end, with few calls."""

from __future__ import annotations

from collections import Counter
from types import SimpleNamespace
from typing import Any

import pytest

from pipeline.declared.names import LOCAL_NAMES
from pipeline.local.ends import Ends
from pipeline.operations.executions import Execution
from pipeline.session import watching
from pipeline.session.watching import Watch
from tests.pipeline.operations.deployment import Deployment
from tests.pipeline.operations.sites import PRODUCTS


class Told(Ends):
    """Ends of which a test says so."""

    def say(self, arn: str, key: str = "") -> None:
        for listener in self._listeners:
            listener(Execution(arn, "SUCCEEDED", {"bucket": "b", "key": key}, {}, None, None))


class Cloud(SimpleNamespace):
    """A cloud of two products that counts the calls of its clients."""

    def __init__(self, deployment: Deployment, ends: Ends) -> None:
        blueprint: Any = SimpleNamespace(products=PRODUCTS)
        super().__init__(blueprint=blueprint, ends=ends, calls=Counter())
        self._site = deployment.site
        states = self.client("stepfunctions")
        states.meta.events.register(
            "before-call.sfn", lambda model, **_: self.calls.update([model.name])
        )

    def client(self, service: str) -> Any:
        return self._site.client(service)


@pytest.fixture
def told() -> Told:
    return Told()


@pytest.fixture
def cloud(deployment: Deployment, told: Told) -> Cloud:
    return Cloud(deployment, told)


def test_an_execution_of_either_product_that_ended_before_is_told_once(
    deployment: Deployment, cloud: Cloud
) -> None:
    watch = Watch(cloud)
    arns = [deployment.ended(product.machine, "monday") for product in PRODUCTS]

    assert [execution.arn for execution in watch.ended()] == arns
    assert list(watch.ended()) == []


def test_an_end_that_is_told_costs_no_call(
    deployment: Deployment, cloud: Cloud, told: Told
) -> None:
    watch = Watch(cloud)
    assert list(watch.ended()) == []
    cloud.calls.clear()
    arn = deployment.ended(PRODUCTS[0].machine, "monday")
    cloud.calls.clear()

    told.say(arn)
    told.say(arn)

    assert [execution.arn for execution in watch.ended()] == [arn]
    assert not cloud.calls


def test_the_end_of_another_machine_is_none_of_a_product(cloud: Cloud, told: Told) -> None:
    watch = Watch(cloud)
    told.say(LOCAL_NAMES.execution_arn("stage-weights", "a"))

    assert list(watch.ended()) == []


def test_an_end_that_nobody_told_is_noticed(
    deployment: Deployment, cloud: Cloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watching, "_LIST_S", 0)
    watch = Watch(cloud)
    first = deployment.ended(PRODUCTS[0].machine, "monday")
    assert [execution.arn for execution in watch.ended()] == [first]
    second = deployment.ended(PRODUCTS[0].machine, "tuesday")

    assert [execution.arn for execution in watch.ended()] == [second]


def test_of_what_is_listed_only_what_has_ended_is_read(
    deployment: Deployment, cloud: Cloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watching, "_LIST_S", 0)
    machine = PRODUCTS[0].machine
    running = [deployment.running(machine, f"r{index}") for index in range(24)]
    watch = Watch(cloud)
    assert list(watch.ended()) == []
    cloud.calls.clear()

    assert list(watch.ended()) == []
    assert cloud.calls["ListExecutions"] == 2
    assert cloud.calls["DescribeExecution"] == 4  # of those that the first page does not show

    deployment.stop(running[0])  # on the second page
    assert [execution.arn for execution in watch.ended()] == running[:1]
    assert list(watch.ended()) == []
    assert cloud.calls["GetExecutionHistory"] == 1

"""Executions of every product are noticed as they end."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from pipeline.session.watching import Watch
from tests.pipeline.operations.deployment import Deployment
from tests.pipeline.operations.sites import PRODUCTS


def test_an_execution_of_either_product_is_told_once(deployment: Deployment) -> None:
    cloud: Any = SimpleNamespace(
        client=deployment.site.client, blueprint=SimpleNamespace(products=PRODUCTS)
    )
    watch = Watch(cloud)
    arns = [deployment.ended(product.machine, "monday") for product in PRODUCTS]

    assert [execution.arn for execution in watch.ended()] == arns
    assert list(watch.ended()) == []

"""What `matteline up` prints has commands for every product."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from pipeline.cli.manual import instructions
from pipeline.declared.blueprint import Blueprint
from pipeline.declared.names import LOCAL_NAMES
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
    assert '"key": "example.txt"' in told

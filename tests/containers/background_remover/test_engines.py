"""The container has a loader and a type for every engine that its `models.toml` declares."""

from __future__ import annotations

from typing import Final

import pytest
from pydantic import BaseModel

from containers.background_remover.engines import LOADERS
from containers.background_remover.hosted import BedrockSpec
from containers.background_remover.saliency import SaliencySpec
from containers.background_remover.sam_contracts import CONTRACTS
from pipeline.declared.models import ModelRow
from tests.models import REMOVER, SHIPPED

SPECS: Final[dict[str, type[BaseModel]]] = {
    "saliency": SaliencySpec,
    **CONTRACTS,
    "bedrock": BedrockSpec,
}


def test_every_engine_has_a_loader() -> None:
    assert LOADERS.keys() == SHIPPED.engines[REMOVER].keys() == SPECS.keys()


@pytest.mark.parametrize("engine", SPECS)
def test_an_engine_declares_the_fields_of_the_containers_type(engine: str) -> None:
    declared = {field.name for field in SHIPPED.engines[REMOVER][engine].fields}

    assert declared == SPECS[engine].model_fields.keys()


@pytest.mark.parametrize("row", SHIPPED.rows_of(REMOVER), ids=lambda row: row.name)
def test_every_row_is_read_as_the_containers_type(row: ModelRow) -> None:
    assert row.spec(SPECS[row.engine.name]).model_dump() == row.table

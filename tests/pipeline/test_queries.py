"""The saved queries of Logs Insights name fields that a task's log really has."""

from __future__ import annotations

import re
import tomllib
from typing import Final

import pytest

from tests.conftest import ROOT
from tests.pipeline.containers.greeter.handler import greet, refuse, stumble
from tests.pipeline.test_task_log import logged

pytestmark = pytest.mark.usefixtures("fresh_workbench")

_QUERIES: Final = tomllib.loads((ROOT / "infra" / "queries.toml").read_text(encoding="utf-8"))
_QUOTED: Final = re.compile(r'"[^"]*"')
_NAME: Final = re.compile(r"@?[a-z_]+(?:\.[a-z_]+)*")
# The language's own words, and the names a query gives its results.
_LANGUAGE: Final = frozenset(
    {"as", "by", "count", "desc", "filter", "ispresent", "max", "most_mb", "or", "sort", "stats"}
    | {"times", "@timestamp"}
)
# Fields a task adds when it knows them; the greeter's tasks have no model.
_SOMETIMES: Final = frozenset({"model"})


def fields_of(query: dict[str, list[str]]) -> set[str]:
    steps = _QUOTED.sub("", " ".join(query["steps"]))
    return {*query["fields"], *_NAME.findall(steps)} - _LANGUAGE


@pytest.fixture
def logged_fields() -> set[str]:
    """What one call of each kind leaves, nested fields with dots as Logs Insights names them."""
    lines = [line for run in (greet, refuse, stumble) for line in logged(run)]
    plain = {name for line in lines for name in line}
    figures = {f"metrics.{name}" for line in lines for name in line.get("metrics", {})}
    return plain | figures | _SOMETIMES


@pytest.mark.parametrize(
    "name", [name for name, query in _QUERIES.items() if query["of"] in {"functions", "beside"}]
)
def test_a_query_asks_for_what_is_logged(name: str, logged_fields: set[str]) -> None:
    assert fields_of(_QUERIES[name]) <= logged_fields


def test_a_field_nobody_logs_is_noticed(logged_fields: set[str]) -> None:
    query = {"fields": ["container"], "steps": ['filter colour = "red"']}

    assert fields_of(query) - logged_fields == {"colour"}

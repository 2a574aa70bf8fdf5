"""The platform's own functions: what is in their zip is all they need."""

from __future__ import annotations

import ast
import os
import subprocess
import sys
from pathlib import Path

import pytest

from pipeline.declared.blueprint import Blueprint
from pipeline.functions.smoke_hook.subject import subjects
from pipeline.local.deployment import NAMES
from pipeline.releases.function_code import lay_out
from tests.conftest import ROOT

BLUEPRINT = Blueprint.read(ROOT, defaults=("starter",))
HANDLERS = [each.handler for each in BLUEPRINT.operations(NAMES)]
# What Lambda's Python brings, and what only a checkout has.
ONLY_HERE = ("aws_cdk", "aws_lambda_powertools", "numpy", "PIL", "pydantic")
LOOK = """
import importlib, sys
module, _, name = sys.argv[1].rpartition(".")
assert callable(getattr(importlib.import_module(module), name))
print(*sorted({name.split(".")[0] for name in sys.modules}))
"""


@pytest.fixture(scope="module")
def package(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return lay_out(ROOT, ROOT, tmp_path_factory.mktemp("zip"))


@pytest.mark.parametrize("handler", HANDLERS)
def test_a_function_starts_from_its_zip_and_needs_nothing_that_only_a_checkout_has(
    package: Path, handler: str
) -> None:
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}

    seen = subprocess.run(
        [sys.executable, "-P", "-c", LOOK, handler],
        env={**environment, "PYTHONPATH": str(package), "PYTHONDONTWRITEBYTECODE": "1"},
        cwd=package,
        capture_output=True,
        text=True,
        check=True,
    ).stdout.split()

    assert "infra" in seen
    assert set(seen) & set(ONLY_HERE) == set()


def test_the_zip_knows_every_container_and_every_model(package: Path) -> None:
    known = subjects(package, function_prefix=f"{NAMES.prefix}-")

    assert known.keys() == {each.name(NAMES) for each in BLUEPRINT.functions}


def test_the_hook_looks_for_weights_where_the_catalogue_puts_them(package: Path) -> None:
    known = subjects(package, function_prefix=f"{NAMES.prefix}-")

    for each in BLUEPRINT.functions:
        expected = each.row.weights_key if each.row and not each.row.hosted else None
        assert known[each.name(NAMES)].weights_key == expected


@pytest.mark.parametrize("container", [each.folder for each in BLUEPRINT.containers])
def test_every_container_has_a_golden_event(container: str) -> None:
    """Without one its smoke test fails, and so does its first release."""
    assert (ROOT / "containers" / container / "golden.toml").is_file()


@pytest.mark.parametrize("handler", sorted(ROOT.glob("pipeline/functions/*/handler.py")))
def test_handlers_are_thin(handler: Path) -> None:
    text = handler.read_text()
    decisions = (ast.If, ast.IfExp, ast.For, ast.While, ast.Try)

    assert len(text.splitlines()) <= 30
    assert [node for node in ast.walk(ast.parse(text)) if isinstance(node, decisions)] == []

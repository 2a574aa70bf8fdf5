"""The zip of the platform's functions holds all they need."""

from __future__ import annotations

import ast
import os
import subprocess
import sys
from pathlib import Path

import pytest

from pipeline.declared.blueprint import Blueprint
from pipeline.functions.smoke_hook.subject import subjects
from pipeline.golden import Golden, Row, Run
from pipeline.local.deployment import NAMES
from pipeline.releases.function_code import lay_out
from tests.conftest import ROOT
from tests.contracts.declared import facts_of

BLUEPRINT = Blueprint.read(ROOT, defaults=("starter",))
HANDLERS = [each.handler for each in BLUEPRINT.operations(NAMES)]
# Packages that Lambda's Python does not have.
ONLY_HERE = ("aws_cdk", "infra", "aws_lambda_powertools", "numpy", "PIL", "pydantic")
LOOK = """
import importlib, sys
module, _, name = sys.argv[1].rpartition(".")
assert callable(getattr(importlib.import_module(module), name))
print(*sorted({name.split(".")[0] for name in sys.modules}))
"""

HEARER = """
[[models]]
name = "hearer"
engine = "speech"
"""
GOLDEN = """
[payload]
recording = "${speech.wav:uri}"
etag = "${speech.wav:etag}"
model = "${row:name}"
"""


@pytest.fixture(scope="module")
def package(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return lay_out(ROOT, ROOT, tmp_path_factory.mktemp("zip"))


@pytest.mark.parametrize("handler", HANDLERS)
def test_a_function_starts_from_its_zip_without_packages_of_a_checkout(
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

    assert "pipeline" in seen
    assert set(seen) & set(ONLY_HERE) == set()


def test_the_zip_knows_every_container_and_every_model(package: Path) -> None:
    known = subjects(package, function_prefix=f"{NAMES.prefix}-")

    assert known.keys() == {each.name(NAMES) for each in BLUEPRINT.functions}


def test_the_smoke_hook_reads_the_same_model_rows_as_the_catalogue(package: Path) -> None:
    known = subjects(package, function_prefix=f"{NAMES.prefix}-")

    for each in BLUEPRINT.functions:
        assert known[each.name(NAMES)].row == facts_of(each.row)


def contents(folder: Path) -> dict[str, bytes]:
    """All files below a folder, by their paths in it."""
    files = (path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in files}


@pytest.mark.parametrize("container", [each.folder for each in BLUEPRINT.containers])
def test_the_zip_holds_the_golden_event_and_its_inputs(package: Path, container: str) -> None:
    """The smoke test fails without a golden event."""
    golden, packed = (root / "containers" / container / "golden" for root in (ROOT, package))

    assert contents(packed) == contents(golden)
    assert (packed / "golden.toml").is_file()


def test_an_added_container_brings_its_rows_and_golden_inputs(tmp_path: Path) -> None:
    """The container is only a folder; no other file changes."""
    listener = tmp_path / "grown" / "containers" / "listener"
    (listener / "golden").mkdir(parents=True)
    (listener / "container.toml").write_text('name = "listener"\nfunction_per_model = true')
    (listener / "models.toml").write_text(HEARER)
    (listener / "golden" / "golden.toml").write_text(GOLDEN)
    (listener / "golden" / "speech.wav").write_bytes(b"RIFF")

    known = subjects(lay_out(ROOT, listener.parents[1], tmp_path / "zip"), function_prefix="m-")

    (subject,) = known.values()
    assert ([*known], subject.container) == (["m-listener-hearer"], "listener")
    assert subject.row == Row("hearer", "speech", weights_key=None)
    run = Run("scratch", "smoke/d-1", models_bucket="models", row=subject.row)
    golden = Golden.prepare(subject.folder, run, lambda _bucket, _key, content: content.decode())
    assert golden.payload == {
        "recording": "s3://scratch/smoke/d-1/golden/speech.wav",
        "model": "hearer",
        "etag": "RIFF",
    }


@pytest.mark.parametrize("handler", sorted(ROOT.glob("pipeline/functions/*/handler.py")))
def test_handlers_are_thin(handler: Path) -> None:
    text = handler.read_text()
    decisions = (ast.If, ast.IfExp, ast.For, ast.While, ast.Try)

    assert len(text.splitlines()) <= 30
    assert [node for node in ast.walk(ast.parse(text)) if isinstance(node, decisions)] == []

"""Synthesise the app twice: as the repository declares it, and with one more of everything."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path
from typing import Any

# jsii reads both when it starts Node: one silences its warning about Node's age, and the other
# leaves CDK's validation to a test of its own.
os.environ.setdefault("JSII_SILENCE_WARNING_END_OF_LIFE_NODE_VERSION", "20")
os.environ.setdefault("CDK_VALIDATION", "false")

import pytest

from infra.app import ROOT, make_app
from tests.infra.growth import grow

Templates = dict[str, Any]


@pytest.fixture(scope="session")
def assembly(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder that `cdk deploy` reads."""
    return synthesised(ROOT, tmp_path_factory.mktemp("app"))


@pytest.fixture(scope="session")
def templates(assembly: Path) -> Templates:
    """Templates of the repository by stack name."""
    return read_templates(assembly)


@pytest.fixture(scope="session")
def on_cpus(tmp_path_factory: pytest.TempPathFactory) -> Templates:
    """Templates of the repository with machines of AWS Batch, by stack name."""
    return read_templates(synthesised(ROOT, tmp_path_factory.mktemp("cpu"), batch="cpu"))


@pytest.fixture(scope="session")
def on_gpus(tmp_path_factory: pytest.TempPathFactory) -> Templates:
    """Templates of the repository with machines of AWS Batch that have GPUs, by stack name."""
    return read_templates(synthesised(ROOT, tmp_path_factory.mktemp("gpu"), batch="gpu"))


@pytest.fixture(scope="module")
def declarations(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the repository's declarations, to add to."""
    return _declarations(tmp_path_factory)


@pytest.fixture(scope="session")
def grown_tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The repository's declarations with one more of each; nothing else differs."""
    tree = _declarations(tmp_path_factory)
    grow(tree)
    return tree


@pytest.fixture(scope="session")
def grown(grown_tree: Path, tmp_path_factory: pytest.TempPathFactory) -> Templates:
    """Templates of the grown tree by stack name."""
    return read_templates(synthesised(grown_tree, tmp_path_factory.mktemp("grown")))


def read_templates(outdir: Path) -> Templates:
    return {
        path.name.removesuffix(".template.json"): json.loads(path.read_text())
        for path in sorted(outdir.glob("*.template.json"))
    }


def _declarations(tmp_path_factory: pytest.TempPathFactory) -> Path:
    tree = tmp_path_factory.mktemp("tree")
    for folder in ("containers", "state_machines"):
        ignored = shutil.ignore_patterns("__pycache__", "*.py")
        shutil.copytree(ROOT / folder, tree / folder, ignore=ignored)
    return tree


def synthesised(root: Path, outdir: Path, **given: str) -> Path:
    """Synthesise the app; `given` are settings by name, as `batch="gpu"`."""
    settings = {f"matteline:{name}": text for name, text in given.items()}
    make_app(root=root, outdir=outdir, given=settings).synth()
    return outdir

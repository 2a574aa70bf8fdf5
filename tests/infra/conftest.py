"""The app, synthesised once as the repository declares it, and once with more declared."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path
from typing import Any

# Both are read when jsii starts Node: no box about its age, and CDK's own validation is
# another test's.
os.environ.setdefault("JSII_SILENCE_WARNING_END_OF_LIFE_NODE_VERSION", "20")
os.environ.setdefault("CDK_VALIDATION", "false")

import pytest

from infra.app import ROOT, make_app
from tests.infra.growth import grow

Templates = dict[str, Any]


@pytest.fixture(scope="session")
def assembly(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder `cdk deploy` reads, of the repository as it is."""
    return _synthesised(ROOT, tmp_path_factory.mktemp("app"))


@pytest.fixture(scope="session")
def templates(assembly: Path) -> Templates:
    """Stack → template, of the repository as it is."""
    return read_templates(assembly)


@pytest.fixture(scope="session")
def grown_tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The repository's declarations with one more of each; nothing else differs."""
    tree = tmp_path_factory.mktemp("tree")
    for folder in ("containers", "state_machines"):
        ignored = shutil.ignore_patterns("__pycache__", "*.py")
        shutil.copytree(ROOT / folder, tree / folder, ignore=ignored)
    grow(tree)
    return tree


@pytest.fixture(scope="session")
def grown(grown_tree: Path, tmp_path_factory: pytest.TempPathFactory) -> Templates:
    """Stack → template, of the grown tree."""
    return read_templates(_synthesised(grown_tree, tmp_path_factory.mktemp("grown")))


def read_templates(outdir: Path) -> Templates:
    return {
        path.name.removesuffix(".template.json"): json.loads(path.read_text())
        for path in sorted(outdir.glob("*.template.json"))
    }


def _synthesised(root: Path, outdir: Path) -> Path:
    make_app(root=root, outdir=outdir).synth()
    return outdir

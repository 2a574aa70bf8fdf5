"""A container is a folder, and its folder keeps the rules that let everything else read it."""

from __future__ import annotations

import ast
import importlib
import re
import sys
from pathlib import Path
from typing import Final

import pytest

from pipeline.contracts.collection import CollectionJob
from pipeline.contracts.contract import Inspected, Job, PublishedJob, Result
from pipeline.declared.containers import ContainerManifest, load_containers
from tests.contracts.declared import ROOT, declared_contracts, decorator_of, read_signature
from tests.contracts.requirements import read_lock, read_names
from tests.contracts.sources import distributions, environment_uses, imported_modules, parse

CONTAINERS: Final = load_containers(ROOT)
JOBS: Final = tuple(container for container in CONTAINERS if container.job)
EACH = pytest.mark.parametrize("container", CONTAINERS, ids=lambda container: container.name)
TRAINING: Final = "starter"  # where a model is made; no image holds it
SERVING: Final = ROOT / "pipeline" / "serving.py"  # what every image starts
MAX_HANDLER_LINES: Final = 30
DECISIONS: Final = (ast.If, ast.For, ast.While, ast.Try, ast.TryStar, ast.Match, ast.IfExp)


def folder_of(container: ContainerManifest) -> Path:
    return ROOT / "containers" / container.folder


def handler_of(container: ContainerManifest) -> Path:
    return folder_of(container) / "handler.py"


def test_the_containers_of_the_platform_are_all_here() -> None:
    names = {container.name for container in CONTAINERS}

    assert {"media-inspector", "model-downloader", "background-remover", "edge-refiner"} <= names
    assert "http-api" in names


def test_every_folder_of_containers_is_a_container() -> None:
    folders = {path.parent.name for path in (ROOT / "containers").glob("*/*.py")}

    assert folders == {container.folder for container in CONTAINERS}


@EACH
def test_a_folder_is_called_what_its_manifest_is_called(container: ContainerManifest) -> None:
    assert folder_of(container).is_dir()
    assert container.name == container.folder.replace("_", "-")


@EACH
def test_tasks_read_the_rows_that_their_image_holds(container: ContainerManifest) -> None:
    """In an image without all rows, an overlay's row of another container has no engine."""
    sources = [path for path in folder_of(container).glob("*.py") if path.name != "selftest.py"]
    calls = [
        node
        for path in sources
        for node in ast.walk(parse(path))
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "catalogue_of"
    ]

    assert {len(call.args) > 1 for call in calls} <= {container.catalogue != "all"}


@EACH
def test_a_version_is_three_numbers(container: ContainerManifest) -> None:
    assert re.fullmatch(r"(0|[1-9]\d*)(\.(0|[1-9]\d*)){2}", container.version)


@pytest.mark.parametrize("container", JOBS, ids=lambda container: container.name)
def test_a_handler_is_decorated_with_the_jobs_of_its_manifest(
    container: ContainerManifest,
) -> None:
    signature = read_signature(handler_of(container))

    present = tuple(job for job in signature.jobs if job not in FORMER)
    assert signature.decorated == signature.jobs
    assert present == (container.job, *container.other_jobs)


@EACH
def test_a_handler_serves_what_its_manifest_says(container: ContainerManifest) -> None:
    decorators = {"http": ("http_handler",), None: (f"task({container.job}", "task(*TASKS)")}

    assert decorator_of(handler_of(container)).startswith(decorators[container.serves])


@EACH
def test_a_handler_is_where_its_image_looks_for_it(container: ContainerManifest) -> None:
    module, _, name = container.handler.rpartition(".")

    assert callable(getattr(importlib.import_module(module), name))


def test_every_job_has_one_result_and_some_container_that_does_it() -> None:
    signatures = [read_signature(handler_of(container)) for container in JOBS]
    results = {
        name
        for name, result in declared_contracts(Result).items()
        if result is Inspected or not issubclass(result, Inspected)
    }

    jobs = declared_contracts(Job).keys() - {PublishedJob.__name__, CollectionJob.__name__}
    assert sorted(job for each in signatures for job in each.jobs) == sorted(jobs)
    assert sorted(name for each in signatures for name in each.results) == sorted(results)


# Accepted and given for one release, next to what replaced them.
FORMER: Final = {"InspectPhoto", "PhotoInspected"}


@EACH
def test_a_handler_is_short_and_decides_nothing(container: ContainerManifest) -> None:
    nodes = list(ast.walk(parse(handler_of(container))))

    assert len(handler_of(container).read_text().splitlines()) <= MAX_HANDLER_LINES
    assert [ast.unparse(node) for node in nodes if isinstance(node, DECISIONS)] == []


@EACH
def test_a_handler_imports_its_own_container_and_the_platform(container: ContainerManifest) -> None:
    allowed = ("pipeline.", f"containers.{container.folder}.")
    foreign = [
        name
        for name in imported_modules(handler_of(container))
        if not name.startswith(allowed) and name.split(".")[0] not in sys.stdlib_module_names
    ]

    assert foreign == []


@EACH
def test_an_image_installs_exactly_what_its_modules_import(container: ContainerManifest) -> None:
    modules = [path for path in folder_of(container).rglob("*.py") if TRAINING not in path.parts]
    needed = distributions([*modules, SERVING])

    assert read_names(folder_of(container) / "requirements.in") == needed


@EACH
def test_an_image_installs_the_versions_that_are_tested(container: ContainerManifest) -> None:
    tested = {
        (pin.name, pin.version): pin.hashes for pin in read_lock(ROOT / "requirements-dev.txt")
    }
    locked = read_lock(folder_of(container) / "requirements.txt")

    assert [
        pin for pin in locked if not pin.hashes <= tested.get((pin.name, pin.version), set())
    ] == []


@EACH
def test_a_lock_has_everything_that_is_asked_for(container: ContainerManifest) -> None:
    locked = {pin.name for pin in read_lock(folder_of(container) / "requirements.txt")}

    assert read_names(folder_of(container) / "requirements.in") <= locked


@EACH
def test_a_readme_says_what_its_container_is_for(container: ContainerManifest) -> None:
    readme = (folder_of(container) / "README.md").read_text(encoding="utf-8")

    assert container.summary in " ".join(readme.split())


@EACH
def test_a_readme_says_what_each_module_is_for(container: ContainerManifest) -> None:
    named = set(re.findall(r"`(\w+\.py)`", (folder_of(container) / "README.md").read_text()))
    modules = {path.name for path in folder_of(container).glob("[a-z]*.py")}

    assert modules - named == {"handler.py"}


@EACH
def test_a_summary_is_one_sentence_that_outlives_its_version(container: ContainerManifest) -> None:
    assert container.summary.endswith(".")
    assert container.version not in container.summary
    assert "\n" not in container.summary


def test_only_the_edges_of_the_platform_read_the_environment() -> None:
    platform = ROOT / "pipeline"
    edges = {
        platform / "task.py",
        platform / "batch_job.py",
        platform / "http_handler.py",
        platform / "observed.py",
        platform / "__main__.py",
        *(platform / "functions").glob("*/handler.py"),
        *(platform / "local").rglob("*.py"),
        *(platform / "session").glob("*.py"),
    }
    files = [*platform.rglob("*.py"), *(ROOT / "containers").rglob("*.py")]

    assert [use for path in files if path not in edges for use in environment_uses(path)] == []
    assert environment_uses(platform / "task.py") != []

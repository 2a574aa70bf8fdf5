"""A product that is added as files is declared, recorded, checked and released like the others."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from pipeline.declared.blueprint import Blueprint
from pipeline.declared.products import taker
from pipeline.local.deployment import NAMES
from pipeline.releases.shipping import shipped_files
from tests.conftest import ROOT
from tests.newcomer.growth import CONTAINER, MACHINE, MODELS, SERVER, copy_repository, grow

CONTRACTS = ("test_state_machines.py", "test_shared_states.py", "test_golden.py")
Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture(scope="module")
def blueprint(grown: Path) -> Blueprint:
    return Blueprint.read(grown)


@pytest.fixture
def own_copy(grown: Path, tmp_path: Path) -> Path:
    return shutil.copytree(grown, tmp_path / "copy")


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A checkout with the repository as its last commit, and the product not yet committed."""
    tree = copy_repository(tmp_path)
    git = ["git", "-c", "user.name=a", "-c", "user.email=a@example", "-C", str(tree)]
    for words in (["init", "-q"], ["add", "-A"], ["commit", "-q", "-m", "as it was"]):
        subprocess.run([*git, *words], check=True)
    grow(tree)
    return tree


def run(tree: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run a module of the copy, not of this repository."""
    return subprocess.run(
        [sys.executable, "-m", *arguments],
        cwd=tree, env={**os.environ, "PYTHONPATH": str(tree)},
        capture_output=True, text=True, check=False,
    )  # fmt: skip


def test_each_row_has_a_function_and_no_other_container_has_one_more(blueprint: Blueprint) -> None:
    before = {each.name(NAMES) for each in Blueprint.read(ROOT).functions}

    after = {each.name(NAMES) for each in blueprint.functions}

    readers = {NAMES.function(CONTAINER, model) for model in MODELS}
    assert after - before == {*readers, NAMES.function(SERVER)}


def test_its_keys_start_its_machine_and_no_other(blueprint: Blueprint) -> None:
    starts = {key: taker(key, blueprint.products) for key in ("a.memo", "b.MEMO", "c.jpg", "memo")}

    assert {key: product and product.machine for key, product in starts.items()} == {
        "a.memo": MACHINE,
        "b.MEMO": MACHINE,
        "c.jpg": "cutout",
        "memo": "cutout",
    }


def test_its_bad_ends_are_recorded_reaped_and_backfilled(blueprint: Blueprint) -> None:
    recorded = json.loads(blueprint.triggers(NAMES)["record-failure"])["detail"]
    arn = NAMES.unqualified_machine_arn(MACHINE)

    assert arn in recorded["stateMachineArn"]
    machines = blueprint.machines(NAMES)
    assert f"{NAMES.machine('faces')} {NAMES.machine(MACHINE)} " in machines["reap-jobs"]
    assert f"StringSplit('cutout faces {MACHINE} transcript', ' ')" in machines["backfill"]


@pytest.mark.timeout(300)
def test_it_keeps_the_rules_of_every_machine(grown: Path) -> None:
    told = run(grown, "pytest", "-q", *(f"tests/contracts/{name}" for name in CONTRACTS))

    assert told.returncode == 0, told.stdout[-3000:]


@pytest.mark.timeout(300)
def test_an_error_it_does_not_catch_is_noticed(own_copy: Path) -> None:
    path = own_copy / "state_machines" / f"{MACHINE}.asl.json"
    machine = json.loads(path.read_text())
    caught = machine["States"]["ReadMemo"]["Catch"][0]["ErrorEquals"]
    caught.remove("CorruptMedia")
    path.write_text(json.dumps(machine))

    told = run(own_copy, "pytest", "-q", "tests/contracts/test_state_machines.py", "-k", MACHINE)

    assert told.returncode == 1
    assert "ReadMemo: CorruptMedia is not caught" in told.stdout


def changed(checkout: Path) -> set[str]:
    """The containers whose version has to be raised."""
    told = run(checkout, "pipeline", "containers", "check").stderr
    return set(re.findall(r"[a-z]+-[a-z]+(?= changed)", told))


def test_versions_are_held_against_content(checkout: Path) -> None:
    """The inspector makes the jobs of every product, the downloader stages every model.

    The API describes both.
    """
    affected = {"http-api", "media-inspector", "model-downloader"}
    assert changed(checkout) == affected

    run(checkout, "pipeline", "containers", "bump", *affected)

    locked = run(checkout, "pipeline", "containers", "check")
    assert locked.returncode == 0, locked.stderr
    assert f"[{CONTAINER}]" in (checkout / "containers" / "containers.lock").read_text()


def test_a_comment_in_its_contracts_concerns_its_containers_only(own_copy: Path) -> None:
    run(own_copy, "pipeline", "containers", "lock")
    contracts = own_copy / "pipeline" / "contracts" / "memo.py"
    contracts.write_text(contracts.read_text() + "\n# One comment more.\n")

    assert changed(own_copy) == {CONTAINER, "http-api", "media-inspector"}


def test_a_container_that_serves_http_answers_its_golden_request(grown: Path) -> None:
    told = run(grown, "containers.memo_server.selftest")

    verdict = json.loads(told.stdout.splitlines()[-1])
    assert (told.returncode, verdict["passed"]) == (0, True), told.stdout
    assert verdict["seen"]["body.json.kinds.1"] == "drinks"


def test_a_container_that_serves_http_is_listed(grown: Path) -> None:
    told = run(grown, "pipeline", "containers", "list")

    assert re.search(r"memo-server +0\.1\.0 +serves http +256 MB, 10 s", told.stdout)


def test_its_image_has_its_own_rows_and_words_and_no_other_containers(grown: Path) -> None:
    shipped = {path.as_posix() for path in shipped_files(grown, "memo_reader")}

    assert "containers/memo_reader/models.toml" in shipped
    assert "containers/background_remover/models.toml" not in shipped
    assert not any(path.startswith("pipeline/photo/") for path in shipped)

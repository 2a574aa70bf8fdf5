"""Functions start from a snapshot where the stage asks for it and the container allows it."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

import pytest

from infra.app import ROOT, make_app
from infra.snapshots import CHECKED, snap_started
from pipeline.declared.containers import load_containers
from tests.infra.cloudformation import deploy
from tests.infra.conftest import Templates, read_templates
from tests.infra.test_cfn_lint import problems

_PREFIX: Final = "matteline-dev-functions-"
_RELEASED: Final = {"ImageDigestHex": "ab" * 32, "ReleaseVersion": "1.0.0"}


@pytest.fixture(scope="module")
def snapped(tmp_path_factory: pytest.TempPathFactory) -> Templates:
    """Templates of a stage that asks for snapshots wherever they are possible."""
    outdir = tmp_path_factory.mktemp("snapped")
    make_app(outdir=outdir, given={"matteline:snap_start": " ".join(CHECKED)}).synth()
    return read_templates(outdir)


def started(templates: Templates) -> dict[str, Any]:
    """Return the functions that start from a snapshot, by container."""
    return {
        stack.removeprefix(_PREFIX): function.properties["SnapStart"]
        for stack, template in templates.items()
        if stack.startswith(_PREFIX)
        for function in deploy(template, **_RELEASED).of("Lambda::Function")
        if "SnapStart" in function.properties
    }


def test_only_the_containers_asked_for_start_from_a_snapshot(snapped: Templates) -> None:
    assert started(snapped) == {name: {"ApplyOn": "PublishedVersions"} for name in CHECKED}


def test_without_the_setting_no_function_starts_from_a_snapshot(templates: Templates) -> None:
    assert started(templates) == {}


def test_cfn_lint_accepts_images_that_start_from_a_snapshot(snapped: Templates) -> None:
    assert problems(snapped[f"{_PREFIX}edge-refiner"], _RELEASED) == []


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ("edge-refinr", "unknown container 'edge-refinr'; did you mean 'edge-refiner'"),
        ("background-remover", "background-remover has 4096 MB of storage; Lambda allows 512 MB"),
        ("face-analyzer", "face-analyzer was not checked for snapshots; there is media-inspector"),
    ],
)
def test_a_container_that_cannot_is_refused_with_the_reason(asked: str, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        snap_started([asked], load_containers(ROOT))


def test_nothing_is_written_for_a_setting_that_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="snap_start"):
        make_app(outdir=tmp_path, given={"matteline:snap_start": "transcriber"})

    assert list(tmp_path.iterdir()) == []

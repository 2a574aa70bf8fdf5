"""A version identifies one content from the commit that locks it."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Final

import pytest

from pipeline.declared.containers import load_containers
from pipeline.releases import content_lock
from pipeline.releases.content_lock import LOCK, VersionTaken, problems

MANIFEST: Final = """
name = "{name}"
version = "1.2.3"
summary = "For tests."
job = "InspectPhoto"
memory_mb = 128
timeout_s = 3
image_mb = 1
"""
OUT_OF_DATE: Final = f"{LOCK} is out of date; run `matteline containers lock`"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Return a repository with two locked, committed containers; `cook` uses `pipeline.shared`."""
    for folder, code in {"cook": "from pipeline import shared\n", "waiter": "\n"}.items():
        place = tmp_path / "containers" / folder
        place.mkdir(parents=True)
        (place / "container.toml").write_text(MANIFEST.format(name=folder))
        (place / "handler.py").write_text(code)
        (place / "requirements.txt").write_text("")
    (tmp_path / "containers" / "Dockerfile").write_text("FROM nothing\n")
    (tmp_path / "pipeline").mkdir()
    (tmp_path / "pipeline" / "__init__.py").write_text("")
    (tmp_path / "pipeline" / "shared.py").write_text("SALT = 1\n")
    _git(tmp_path, "init", "--quiet")
    content_lock.lock(tmp_path)
    _commit(tmp_path)
    return tmp_path


def test_locked_containers_have_no_problem(root: Path) -> None:
    assert list(problems(root)) == []


def test_a_change_in_the_platform_affects_only_the_containers_that_use_it(root: Path) -> None:
    (root / "pipeline" / "shared.py").write_text("SALT = 2\n")

    (problem,) = problems(root)

    assert problem.startswith("cook changed but its version 1.2.3 did not")
    assert problem.endswith("run `matteline containers bump cook`")


@pytest.mark.parametrize(
    "file", ["cook/handler.py", "cook/requirements.txt", "cook/container.toml", "Dockerfile"]
)
def test_everything_in_an_image_is_content(root: Path, file: str) -> None:
    with (root / "containers" / file).open("a") as content:
        content.write("# another\n")

    assert any(problem.startswith("cook changed") for problem in problems(root))


def test_a_committed_version_is_not_given_to_other_content(root: Path) -> None:
    (root / "pipeline" / "shared.py").write_text("SALT = 2\n")

    with pytest.raises(VersionTaken, match="bump cook"):
        content_lock.lock(root)
    assert "cook" in next(problems(root))


def test_a_raised_version_identifies_the_new_content(root: Path) -> None:
    (root / "pipeline" / "shared.py").write_text("SALT = 2\n")

    raised = _bump(root, "cook")

    assert raised == "1.2.4"
    assert list(problems(root)) == []


def test_a_version_is_raised_once_per_commit(root: Path) -> None:
    for salt in (2, 3):
        (root / "pipeline" / "shared.py").write_text(f"SALT = {salt}\n")
        assert _bump(root, "cook") == "1.2.4"
    assert list(problems(root)) == []

    _commit(root)

    (root / "pipeline" / "shared.py").write_text("SALT = 4\n")
    assert _bump(root, "cook") == "1.2.5"


def test_a_version_raised_by_hand_only_needs_the_lock(root: Path) -> None:
    path = root / "containers" / "cook" / "container.toml"
    path.write_text(path.read_text().replace("1.2.3", "2.0.0"))

    assert list(problems(root)) == [OUT_OF_DATE]
    content_lock.lock(root)
    assert list(problems(root)) == []


def test_a_deleted_container_leaves_the_lock(root: Path) -> None:
    (root / "containers" / "waiter" / "container.toml").unlink()

    assert list(problems(root)) == [OUT_OF_DATE]
    content_lock.lock(root)
    assert "waiter" not in (root / LOCK).read_text()


def _bump(root: Path, name: str) -> str:
    (container,) = (each for each in load_containers(root) if each.name == name)
    raised = content_lock.bump(root, container)
    content_lock.lock(root)
    return raised.version


def _commit(root: Path) -> None:
    _git(root, "add", "--all")
    _git(
        root, "-c", "user.name=Me", "-c", "user.email=me@here.test", "commit", "--quiet", "-m", "x"
    )


def _git(root: Path, *arguments: str) -> None:
    subprocess.run(["git", *arguments], cwd=root, check=True, capture_output=True)

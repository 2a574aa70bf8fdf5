"""What the documents say is what the code does."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from pipeline.contracts import Options
from pipeline.errors import leaf_names
from pipeline.manifest import load_containers
from pipeline.release_errors import ReleaseError
from tests.conftest import ROOT

DOCUMENTS = sorted(
    path
    for path in [*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *ROOT.glob("containers/*/*.md")]
    if ".venv" not in path.parts
)
README = (ROOT / "README.md").read_text()


def _first_cells(heading: str) -> set[str]:
    """The code words in the first column of the first table below a line."""
    below = README.split(heading, 1)[1].split("\n\n|", 1)[1].split("\n\n", 1)[0]
    return set(re.findall(r"^\|? ?`(\w+)`", below, flags=re.MULTILINE))


def test_the_error_table_names_every_error_and_no_other() -> None:
    assert _first_cells("### What can go wrong") == leaf_names()


def test_the_table_of_releases_names_every_release_error_and_no_other() -> None:
    assert _first_cells("### What stops a release") == leaf_names(ReleaseError)


def test_the_option_table_names_every_option_and_no_other() -> None:
    assert _first_cells("Options are taken") == set(Options.model_fields)


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_link_leads_somewhere(path: Path) -> None:
    links = re.findall(r"\]\(([^)#:]+)\)", path.read_text())

    assert [link for link in links if not (path.parent / link).exists()] == []


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_make_target_that_is_named_exists(path: Path) -> None:
    targets = set(re.findall(r"^([a-z0-9-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))

    assert set(re.findall(r"(?:^|`)make ([a-z0-9-]+)", path.read_text(), re.MULTILINE)) <= targets


def test_the_changelog_has_every_containers_version() -> None:
    changelog = " ".join((ROOT / "CHANGELOG.md").read_text().split())
    missing = [
        f"`{row.name}` {row.version}"
        for row in load_containers(ROOT)
        if f"`{row.name}` {row.version}" not in changelog
    ]

    assert missing == []


def test_decisions_are_numbered_without_a_gap_and_say_what_they_cost() -> None:
    pages = sorted((ROOT / "docs" / "decisions").glob("*.md"))

    assert [int(page.name[:4]) for page in pages] == list(range(1, len(pages) + 1))
    for page in pages:
        text = page.read_text()
        assert all(part in text for part in ("**Decision.**", "**Why.**", "**Cost.**")), page.name

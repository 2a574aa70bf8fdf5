"""What the documents say is what the code does."""

from __future__ import annotations

import re
import runpy
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import click
import pytest

from pipeline.cli.command import matteline
from pipeline.cli.media_group import MediaGroup
from pipeline.contracts.contract import Options
from pipeline.contracts.cutout import CutoutOptions
from pipeline.contracts.faces import FacesOptions
from pipeline.contracts.transcript import TranscriptOptions
from pipeline.declared.containers import load_containers
from pipeline.errors import leaf_names
from pipeline.releases.errors import ReleaseError
from tests.conftest import ROOT

DOCUMENTS: Final = sorted(
    [*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *ROOT.glob("containers/**/*.md")]
)
README: Final = ROOT / "README.md"
each_document = pytest.mark.parametrize(
    "path", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT))
)
_LINK: Final = re.compile(r"\]\(([^)#:]*)(?:#([^)]+))?\)")
_TYPED: Final = re.compile(r"(?:^|`|bin/)matteline ([a-z][^`\n]*)", re.MULTILINE)


def _first_cells(path: Path, heading: str) -> set[str]:
    """The code words in the first column of the first table below a line."""
    below = path.read_text().split(heading, 1)[1].split("\n\n|", 1)[1].split("\n\n", 1)[0]
    return set(re.findall(r"^\|? ?`([\w-]+)`", below, flags=re.MULTILINE))


def _links(path: Path) -> Iterator[tuple[Path, str]]:
    """File (or folder) and heading of every link that stays in the repository."""
    for target, heading in _LINK.findall(path.read_text()):
        yield (path.parent / target).resolve() if target else path, heading


def _anchors(path: Path) -> set[str]:
    """The headings of a page, as links spell them."""
    headings = re.findall(r"^#+ (.+)$", path.read_text(), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", each).lower().replace(" ", "-") for each in headings}


def _misspelt(typed: str) -> list[str]:
    """The words of a `matteline` line that name no verb, or no option of it."""
    command: click.Command = matteline
    words = typed.split("#", maxsplit=1)[0].split()
    while isinstance(command, click.Group) and words:
        word, *words = words
        if word not in command.commands:
            if isinstance(command, MediaGroup):
                break  # it is a file
            return [word]
        command = command.commands[word]
    known = {name for option in command.params for name in option.opts}
    return [word for word in words if re.match(r"--?[a-z]", word) and word not in known]


def test_the_page_of_errors_says_what_the_code_says() -> None:
    written = runpy.run_path(str(ROOT / "docs" / "errors.py"))["render"]()

    assert (ROOT / "docs" / "errors.md").read_text() == written, "run `make docs`"


def test_every_error_has_an_anchor() -> None:
    anchors = _anchors(ROOT / "docs" / "errors.md")

    assert {name.lower() for name in leaf_names()} <= anchors


def test_the_table_of_releases_names_every_release_error_and_no_other() -> None:
    page = ROOT / "docs" / "releasing.md"

    assert _first_cells(page, "## What stops a release") == leaf_names(ReleaseError)


@pytest.mark.parametrize(
    ("heading", "options"),
    [
        ("## Cutout", CutoutOptions),
        ("## Transcript", TranscriptOptions),
        ("## Faces", FacesOptions),
    ],
)
def test_the_option_table_names_every_option_and_no_other(
    heading: str, options: type[Options]
) -> None:
    page = ROOT / "docs" / "options.md"

    assert _first_cells(page, heading) == set(options.model_fields)


def test_the_table_of_machines_names_every_state_machine_and_no_other() -> None:
    machines = {path.name.partition(".")[0] for path in ROOT.glob("state_machines/*.asl.json")}

    assert _first_cells(README, "## How it works") == machines


def test_the_readme_stays_a_newcomers_page() -> None:
    assert len(README.read_text().splitlines()) <= 100


@each_document
def test_every_link_leads_somewhere(path: Path) -> None:
    assert [target for target, _ in _links(path) if not target.exists()] == []


@each_document
def test_every_link_into_a_page_leads_to_a_heading(path: Path) -> None:
    into = [(target, heading) for target, heading in _links(path) if heading]

    assert [heading for target, heading in into if heading not in _anchors(target)] == []


def test_every_page_is_linked_from_another() -> None:
    linked = {target for path in DOCUMENTS for target, _ in _links(path) if target != path}
    pages = [path for path in DOCUMENTS if (ROOT / "docs") in path.parents]

    assert [page for page in pages if not {page, page.parent} & linked] == []


@each_document
def test_every_make_target_that_is_named_exists(path: Path) -> None:
    targets = set(re.findall(r"^([a-z0-9-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))

    assert set(re.findall(r"(?:^|`)make ([a-z0-9-]+)", path.read_text(), re.MULTILINE)) <= targets


@each_document
def test_every_verb_and_option_that_is_named_exists(path: Path) -> None:
    typed = _TYPED.findall(path.read_text())

    assert [(line, wrong) for line in typed if (wrong := _misspelt(line))] == []


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

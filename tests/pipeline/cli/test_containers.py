"""`matteline containers` finds containers by name and suggests the nearest name."""

from __future__ import annotations

import re
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from pipeline.cli.builds import Container, bump
from pipeline.releases import content_lock
from tests.pipeline.cli.conftest import Matteline


def test_containers_are_listed_with_their_versions(matteline: Matteline) -> None:
    done = matteline("containers", "list")

    assert re.search(r"background-remover  \d+\.\d+\.\d+ ", done.stdout)


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("edge-refner", "did you mean 'edge-refiner'?"),
        ("background_remover", "did you mean 'background-remover'?"),
        ("moon", "choose from audio-reader, audio-tagger, background-remover"),
    ],
)
def test_an_unknown_container_is_answered_with_the_nearest_name_or_all(
    name: str, hint: str
) -> None:
    with pytest.raises(click.BadParameter) as failure:
        Container().convert(name, None, None)

    assert failure.value.message.startswith(f"unknown container {name!r}; {hint}")


def test_another_container_that_changed_is_one_line_and_no_traceback(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def refuse(_root: Path) -> None:
        raise content_lock.VersionTaken("edge-refiner changed; run `matteline containers bump`")

    monkeypatch.setattr(content_lock, "lock", refuse)
    monkeypatch.setattr(content_lock, "bump", lambda _root, container: container)

    done = CliRunner().invoke(bump, ["media-inspector"])

    assert (done.exit_code, done.stderr.splitlines()[0][:27]) == (1, "Error: edge-refiner changed")

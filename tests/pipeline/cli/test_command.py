"""Every command and option has help text, and a misspelt one is answered with the nearest name."""

from __future__ import annotations

from collections.abc import Iterator

import click
import pytest
from click.testing import CliRunner

from pipeline.cli.command import matteline

LONGEST = 60  # characters of a command's first line


def commands(group: click.Group, *path: str) -> Iterator[tuple[str, click.Command]]:
    for name, command in group.commands.items():
        yield " ".join([*path, name]), command
        if isinstance(command, click.Group):
            yield from commands(command, *path, name)


COMMANDS = dict(commands(matteline))


@pytest.mark.parametrize("name", COMMANDS)
def test_a_command_says_in_one_short_sentence_what_it_does(name: str) -> None:
    first, *_ = (COMMANDS[name].help or "").strip().splitlines() or [""]

    assert first.endswith(".")
    assert first[0].isupper()
    assert len(first) < LONGEST


@pytest.mark.parametrize("name", COMMANDS)
def test_every_option_has_help(name: str) -> None:
    options = [each for each in COMMANDS[name].params if isinstance(each, click.Option)]

    assert [option.name for option in options if not option.help] == []


@pytest.mark.parametrize(
    ("words", "suggestion"),
    [
        (["rum", "cat.jpg"], "Did you mean 'run'?"),
        (["jobs", "lst"], "Did you mean 'list'?"),
        (["models", "list", "--miror", "x"], "Did you mean '--mirror'?"),
    ],
)
def test_a_misspelt_command_or_option_is_answered_with_the_nearest_name(
    words: list[str], suggestion: str
) -> None:
    result = CliRunner().invoke(matteline, words)

    assert result.exit_code == 2
    assert suggestion in result.output

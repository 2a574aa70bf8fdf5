"""Every command and option has help text; a misspelt one is answered with the nearest name."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from pipeline.cli.command import main, matteline
from pipeline.session import collecting
from tests.conftest import ROOT

EARLY = """
import os, sys
class Interrupt:
    def find_spec(self, name, *_):
        if name == "pipeline.cli.command":
            os.kill(os.getpid(), {signal})
sys.meta_path.insert(0, Interrupt())
from pipeline.__main__ import main
main()
"""
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


def test_an_interrupt_before_the_first_photo_exits_with_130(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    def interrupted(*_arguments: object, **_options: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(collecting, "collect", interrupted)
    monkeypatch.setattr(signal, "signal", lambda *_: None)
    monkeypatch.setattr("sys.argv", ["matteline", "run", str(tmp_path)])

    with pytest.raises(SystemExit) as ended:
        main()

    assert ended.value.code == 130
    assert capsys.readouterr().err.strip() == "Interrupted."


@pytest.mark.parametrize("sent", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_an_interrupt_while_modules_load_is_one_line(sent: signal.Signals) -> None:
    done = subprocess.run(
        [sys.executable, "-c", EARLY.format(signal=int(sent)), "run", "README.md"],
        cwd=ROOT, capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip

    assert (done.returncode, done.stdout, done.stderr) == (130, "", "Interrupted.\n")

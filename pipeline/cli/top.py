"""`matteline top`: what a deployment does right now, in the terminal."""

from __future__ import annotations

import contextlib
import os
import select
import sys
import termios
import time
import tty
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import click
from rich.console import Console
from rich.live import Live

from pipeline.cli.options import ROOT, catalogue_option
from pipeline.cli.report import console
from pipeline.cli.site import site_options
from pipeline.cli.top_view import as_json, draw
from pipeline.declared.blueprint import Blueprint
from pipeline.operations.live.watch import DeploymentWatch
from pipeline.operations.site import Site

_NARROWEST: Final = 100  # columns
_LOWEST: Final = 20  # rows
_QUIT: Final = frozenset("qQ")


@click.command("top")
@click.option("--once", is_flag=True, help="Print one look and end.")
@click.option("--json", "json_wanted", is_flag=True, help="Print one look as JSON and end.")
@catalogue_option
@site_options
def top(site: Site, *, overlays: tuple[Path, ...], once: bool, json_wanted: bool) -> None:
    """Watch what runs, ends, fails, waits and costs, live.

    Counts are of the last hour. q quits. Without a terminal of 100 columns and 20 rows, it prints
    one look. On a stage, CloudWatch charges about $0.08 for each hour of watching.
    """
    watch, screen = DeploymentWatch(site, Blueprint.read(ROOT, overlays=overlays)), console()
    if json_wanted:
        click.echo(as_json(watch.look(datetime.now(UTC))))
    elif once or not _can_live(screen):
        screen.print(draw(watch.look(datetime.now(UTC))))
    else:
        _live(watch, screen)


def _can_live(screen: Console) -> bool:
    big = screen.width >= _NARROWEST and screen.height >= _LOWEST
    return big and screen.is_terminal and not screen.is_dumb_terminal and sys.stdin.isatty()


def _live(watch: DeploymentWatch, screen: Console) -> None:
    """Show look after look on a screen of its own; afterwards the terminal is as it was."""
    hint = f"last hour, every {watch.every_s:.0f} s; q quits"
    with (
        contextlib.suppress(KeyboardInterrupt),
        _keys(),
        Live("", console=screen, screen=True, auto_refresh=False, vertical_overflow="crop") as live,
    ):
        while True:
            live.update(draw(watch.look(datetime.now(UTC)), hint=hint), refresh=True)
            if _asked_to_quit(watch.every_s):
                return


@contextlib.contextmanager
def _keys() -> Iterator[None]:
    """Let keys be read one by one, and not be shown."""
    terminal = sys.stdin.fileno()
    before = termios.tcgetattr(terminal)
    tty.setcbreak(terminal)
    try:
        yield
    finally:
        termios.tcsetattr(terminal, termios.TCSADRAIN, before)


def _asked_to_quit(seconds: float) -> bool:
    """Wait so long for the key that quits. A terminal that was closed quits too."""
    ends_at = time.monotonic() + seconds
    while (left := ends_at - time.monotonic()) > 0:
        if not select.select([sys.stdin], [], [], left)[0]:
            return False
        pressed = os.read(sys.stdin.fileno(), 64).decode(errors="replace")
        if not pressed or _QUIT & {*pressed}:
            return True
    return False

"""Runs the programs that make and enter images."""

from __future__ import annotations

import shutil
import subprocess
from typing import Final

from pipeline.releases.images.trouble import BuildFailed, ToolMissing

_LAST_LINES: Final = 20


def tool(name: str) -> str:
    """Where a program is; ToolMissing if it is not installed."""
    path = shutil.which(name)
    if path is None:
        raise ToolMissing(f"{name} is not installed")
    return path


def run(name: str, *arguments: str) -> str:
    """What the program printed; BuildFailed, with its last words, if it failed."""
    done = subprocess.run(  # noqa: S603 - one of ours
        [tool(name), *arguments], stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        text=True, check=False,
    )  # fmt: skip
    if done.returncode:
        last_words = "\n".join(done.stdout.strip().splitlines()[-_LAST_LINES:])
        raise BuildFailed(f"{name} {arguments[0]} ended with {done.returncode}\n{last_words}")
    return done.stdout


def answer(name: str, *arguments: str) -> str | None:
    """What the program printed; None if it said no."""
    done = subprocess.run(  # noqa: S603 - one of ours
        [tool(name), *arguments], capture_output=True, text=True, check=False
    )
    return None if done.returncode else done.stdout

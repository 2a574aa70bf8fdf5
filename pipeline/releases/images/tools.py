"""Run the programs that build and enter images, and name what can fail."""

from __future__ import annotations

import shutil
import subprocess
from typing import Final

_LAST_LINES: Final = 20


class ImageError(Exception):
    """A failure that the command line shows: one sentence, and a hint on the next step.

    No state machine catches these errors, so they are not in `pipeline.errors`.
    """

    hint = ""

    def __init__(self, message: str) -> None:
        self.message = message
        super().__init__(message)


class ToolMissing(ImageError):
    """A program that builds or enters images is not installed."""

    hint = "On Debian or Ubuntu: sudo apt install buildah debootstrap bubblewrap"


class BuildFailed(ImageError):
    """A step of the build failed."""

    hint = "Fix the failed step and build again; finished steps are cached."


class ImageNotBuilt(ImageError):
    """A container has no image, or one built from other sources."""

    hint = "Build it: make images"


def tool(name: str) -> str:
    """Return the path of a program. Raises ToolMissing if it is not installed."""
    path = shutil.which(name)
    if path is None:
        raise ToolMissing(f"{name} is not installed")
    return path


def run(name: str, *arguments: str) -> str:
    """Run a program and return its output.

    Raises BuildFailed, with the last lines of the output, if the program fails.
    """
    done = subprocess.run(  # noqa: S603 - a program of this module's callers
        [tool(name), *arguments], stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        text=True, check=False,
    )  # fmt: skip
    if done.returncode:
        last_lines = "\n".join(done.stdout.strip().splitlines()[-_LAST_LINES:])
        raise BuildFailed(f"{name} {arguments[0]} ended with {done.returncode}\n{last_lines}")
    return done.stdout


def answer(name: str, *arguments: str) -> str | None:
    """Run a program and return its output, None if it exits with an error."""
    done = subprocess.run(  # noqa: S603 - a program of this module's callers
        [tool(name), *arguments], capture_output=True, text=True, check=False
    )
    return None if done.returncode else done.stdout

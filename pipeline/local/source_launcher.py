"""Start a function's process from the sources, with this machine's Python."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import IO, Final

from pipeline.local.worker import Command, Function, Process

RUNTIME_CLIENT: Final = (
    "awslambdaric" if find_spec("awslambdaric") else "pipeline.local.runtime_client"
)


@dataclass(frozen=True)
class SourceLauncher:
    """Runs the handlers under `root`."""

    root: Path

    def start(self, function: Function, environment: Mapping[str, str], log: IO[bytes]) -> Process:
        arguments = (sys.executable, "-m", RUNTIME_CLIENT, function.handler)
        return Command(arguments, {**inherited(), **environment}, self.root).start(log)

    def job(
        self, function: Function, module: Sequence[str], environment: Mapping[str, str]
    ) -> Command:
        arguments = (sys.executable, "-m", *module)
        environment = {**environment, "_HANDLER": function.handler}  # the sources have all of them
        return Command(arguments, {**inherited(), **environment}, self.root)


def inherited() -> dict[str, str]:
    """Return the variables that a worker takes from this process.

    The user's AWS profile or session must not reach it.
    """
    return {name: text for name, text in os.environ.items() if not name.startswith("AWS_")}

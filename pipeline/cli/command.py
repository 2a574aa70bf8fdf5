"""`matteline`: the root command. An error is one line, then a hint.

A command's module is loaded when the command is named. Commands import the local cloud in the
function that starts it: loading it takes seconds.
"""

from __future__ import annotations

import io
import sys
from typing import Final

import click

from pipeline.cli.interrupts import INTERRUPTED, SHOWN, raise_when_interrupted
from pipeline.cli.lazy_commands import LazyCommands
from pipeline.errors import (
    ConsentMissing,
    InvalidOptions,
    LicenseNotAccepted,
    PipelineError,
    UnknownModel,
)
from pipeline.releases.images.tools import ImageError
from pipeline.session.whole_files import is_full, reason_of

# The module of each command, which has the command's name in it.
_MODULES: Final = {
    **dict.fromkeys(("demo", "faces", "run", "up"), "runs"),
    "doctor": "doctor",
    "next": "doctor",
    **{
        name: name
        for name in (
            "backfill", "collections", "containers", "jobs", "keys", "models", "page", "quarantine",
            "quotas", "stage", "top", "transcripts", "webhooks",
        )
    },
}  # fmt: skip


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--verbose", is_flag=True, help="Show the traceback of an error.")
def matteline(*, verbose: bool) -> None:
    """Run and operate the pipeline, locally or on AWS."""


matteline.commands = LazyCommands(_MODULES)


def main() -> None:
    """Run the command line.

    Exit code 1: an error with a name; 2: the command was wrong; 130: it was interrupted.
    """
    raise_when_interrupted()
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")
    try:
        sys.exit(matteline(standalone_mode=False))
    except click.Abort:  # Click raises it for an interrupt, and would exit with 1
        click.echo(SHOWN, err=True)
        sys.exit(INTERRUPTED)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except (PipelineError, ImageError) as error:
        if "--verbose" in sys.argv:
            raise
        click.echo(f"{type(error).__name__}: {error.message}\n{error.hint}", err=True)
        usage = UnknownModel | InvalidOptions | LicenseNotAccepted | ConsentMissing
        sys.exit(2 if isinstance(error, usage) else 1)
    except OSError as error:
        if "--verbose" in sys.argv or not is_full(error):
            raise
        click.echo(f"{reason_of(error)}\nFree disk space, or choose another folder.", err=True)
        sys.exit(1)

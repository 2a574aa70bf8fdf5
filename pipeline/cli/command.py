"""`matteline`: the root command. An error is one line, then a hint.

Commands import the local cloud in the function that starts it: loading it takes seconds.
"""

from __future__ import annotations

import io
import signal
import sys

import click

from pipeline.cli.backfill import backfill
from pipeline.cli.containers import containers
from pipeline.cli.jobs import jobs
from pipeline.cli.keys import keys
from pipeline.cli.models import models
from pipeline.cli.page import page
from pipeline.cli.photos import INTERRUPTED, PHOTO_COMMANDS
from pipeline.cli.quarantine import quarantine
from pipeline.cli.quotas import quotas
from pipeline.cli.webhooks import webhooks
from pipeline.errors import InvalidOptions, LicenseNotAccepted, PipelineError, UnknownModel
from pipeline.releases.images.tools import ImageError
from pipeline.session.whole_files import is_full, reason_of


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--verbose", is_flag=True, help="Show the traceback of an error.")
def matteline(*, verbose: bool) -> None:
    """Run and operate the pipeline, locally or on AWS."""


groups = (models, containers, jobs, quarantine, backfill, keys, quotas, webhooks, page)
for command in (*PHOTO_COMMANDS, *groups):
    matteline.add_command(command)


def main() -> None:
    """Run the command line.

    Exit code 1: an error with a name; 2: the command was wrong; 130: it was interrupted.
    """
    # A background job ignores SIGINT from its start; a closed terminal sends SIGHUP.
    for stop in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(stop, signal.default_int_handler)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")
    try:
        sys.exit(matteline(standalone_mode=False))
    except click.Abort:  # Click raises it for an interrupt, and would exit with 1
        click.echo("Interrupted.", err=True)
        sys.exit(INTERRUPTED)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except (PipelineError, ImageError) as error:
        if "--verbose" in sys.argv:
            raise
        click.echo(f"{type(error).__name__}: {error.message}\n{error.hint}", err=True)
        usage = UnknownModel | InvalidOptions | LicenseNotAccepted
        sys.exit(2 if isinstance(error, usage) else 1)
    except OSError as error:
        if "--verbose" in sys.argv or not is_full(error):
            raise
        click.echo(f"{reason_of(error)}\nFree disk space, or choose another folder.", err=True)
        sys.exit(1)

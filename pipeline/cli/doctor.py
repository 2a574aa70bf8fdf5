"""`matteline doctor` and `matteline next`: check this computer or a stage; say what to type."""

from __future__ import annotations

import json
import sys
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any, Final

import click
from rich.markup import escape
from rich.table import Table

from pipeline.cli.options import ROOT
from pipeline.cli.report import console
from pipeline.cli.site import named_failures, stage_option
from pipeline.declared.blueprint import Blueprint
from pipeline.declared.names import LOCAL_STAGE
from pipeline.declared.stage_settings import read_stage_settings
from pipeline.operations.doctor.checking import Finding, run_checks
from pipeline.operations.site import aws_site
from pipeline.operations.stage.deployment import Deployment
from pipeline.session.choice import ModelChoice
from pipeline.session.session import read_catalogue

_COLOURS: Final = {"ok": "green", "warn": "yellow", "fail": "red", "unknown": "magenta"}


@click.command("doctor")
@stage_option
@click.option("--json", "as_json", is_flag=True, help="Print the findings as JSON.")
def doctor(stage: str, *, as_json: bool) -> None:
    """Check this computer, or an account and a stage.

    Nothing is changed. What your credentials may not see is `unknown`, with the action that is
    missing. Exit code 1 if a check fails.
    """
    with console().status("Checking"):  # shown in a terminal only
        findings = _of_machine() if stage == LOCAL_STAGE else _of_stage(stage)
    if as_json:
        click.echo(json.dumps([asdict(each) for each in findings], indent=2))
    else:
        _print(findings)
    sys.exit(any(each.verdict == "fail" for each in findings))


@click.command("next")
@stage_option
def next(stage: str) -> None:  # noqa: A001 - the command's name
    """Print what to type next on a stage, and its addresses."""
    from pipeline.operations.stage.next_steps import next_steps

    if stage == LOCAL_STAGE:
        raise click.UsageError(
            "for the local cloud, `matteline up` prints what to type; pass --stage NAME"
        )
    with named_failures(stage):
        for line in next_steps(_deployment(stage)):
            click.echo(line)


def _of_machine() -> list[Finding]:
    from pipeline.session.machine_checks import MACHINE_CHECKS, Machine

    return run_checks(MACHINE_CHECKS, Machine(read_catalogue(ROOT, ModelChoice())))


def _of_stage(stage: str) -> list[Finding]:
    import boto3

    from pipeline.operations.doctor.account_checks import ACCOUNT_CHECKS, check_credentials
    from pipeline.operations.doctor.stage_checks import STAGE_CHECKS

    credentials = check_credentials(boto3.Session())
    if credentials.verdict == "fail":
        return [credentials]
    return [credentials, *run_checks((*ACCOUNT_CHECKS, *STAGE_CHECKS), _deployment(stage))]


def _deployment(stage: str) -> Deployment:
    settings = read_stage_settings(ROOT)
    blueprint = Blueprint.read(ROOT, defaults=tuple(_words(settings.get("default_models", ()))))
    batch = settings.get("batch", "off")
    return Deployment(aws_site(stage, blueprint.products), blueprint.with_batch(batch), settings)


def _words(given: Any) -> Sequence[str]:
    """Return a setting's list, also if it is written as words of a text."""
    return given.split() if isinstance(given, str) else given


def _print(findings: Sequence[Finding]) -> None:
    screen = console()
    table = Table("check", "")
    table.add_column("found, and what to do", overflow="fold")
    for each in findings:
        told = escape(each.found) + (f"\n[bold]{escape(each.do)}[/]" if each.do else "")
        table.add_row(each.check, f"[{_COLOURS[each.verdict]}]{each.verdict}[/]", told)
    screen.print(table)
    counts = Counter[str](each.verdict for each in findings)
    screen.print(
        ", ".join(f"{counts[verdict]} {verdict}" for verdict in _COLOURS if counts[verdict])
    )

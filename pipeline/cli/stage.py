"""`matteline stage`: check state machines and leftovers before a stage is deployed."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import click

from pipeline.cli.options import ROOT
from pipeline.cli.site import site_options
from pipeline.declared.blueprint import Blueprint
from pipeline.operations.site import Site
from pipeline.operations.stage.adopting import CannotAdopt, adopted, read_templates
from pipeline.operations.stage.finding_leftovers import StuckStack, find_leftovers, stuck_stacks
from pipeline.operations.stage.leftovers import Leftover, expected_of
from pipeline.operations.stage.state_checks import (
    NotPermitted,
    definition_problems,
    read_cases,
    state_problems,
)

_FOLDER: Final = "adopt"


@click.group()
def stage() -> None:
    """Check a stage on AWS before it is deployed."""


@stage.command("leftovers")
@click.option(
    "--templates",
    type=click.Path(path_type=Path, exists=True, file_okay=False),
    help="Folder of the stage's templates: write there, below `adopt`, what to import.",
)
@site_options
def leftovers(site: Site, *, templates: Path | None) -> None:
    """List what a destroyed stage left behind, outside any stack.

    CloudFormation cannot create these again, but it can import them: `make deploy` does. Exit code
    1 if something cannot be imported, with what to do.
    """
    _require_aws(site)
    if stuck := stuck_stacks(site):
        raise click.ClickException("\n".join(map(_unstick, stuck)))
    found = find_leftovers(site, expected_of(Blueprint.read(ROOT), site.names))
    for leftover in found:
        click.echo(_line(leftover))
    if not found:
        click.echo(f"no stage {site.names.stage} left anything behind")
    if templates is None:
        if problems := [each.problem for each in found if each.problem]:
            raise click.ClickException("\n".join(problems))
        return
    try:
        mappings = adopted(found, read_templates(templates), site.names)
    except CannotAdopt as error:
        raise click.ClickException("\n".join(error.problems)) from error
    _write(templates / _FOLDER, mappings)


@stage.command("machines")
@site_options
def machines(site: Site) -> None:
    """Have Step Functions check the state machines.

    It tries some states, too. Nothing is created or called. An account that does not allow it gets
    a warning. Exit code 1 if Step Functions would not create a machine, or if a state does not end
    as `buildspec/states.toml` says.
    """
    _require_aws(site)
    client = site.client("stepfunctions")
    definitions = Blueprint.read(ROOT).machines(site.names)
    cases = read_cases(ROOT)
    problems: list[str] = []
    try:
        for name, definition in definitions.items():
            problems += definition_problems(client, name, definition)
        for case in cases:
            problems += state_problems(client, case, definitions[case.machine])
    except NotPermitted as error:
        click.echo(f"warning: Step Functions did not check the state machines: {error}", err=True)
    else:
        click.echo(f"checked {len(definitions)} state machines, {len(cases)} states")
    if problems:
        raise click.ClickException("\n".join(problems))


def _require_aws(site: Site) -> None:
    if site.local:
        raise click.UsageError("the local cloud cannot answer this: pass --stage NAME")


def _unstick(stack: StuckStack) -> str:
    return (
        f"the stack {stack.name} is in {stack.status}: CloudFormation's events say why. "
        f"Fix that (buckets must be empty), then: aws cloudformation delete-stack "
        f"--stack-name {stack.name}"
        if stack.status != "UPDATE_ROLLBACK_FAILED"
        else f"the stack {stack.name} is in {stack.status}: fix what its events name, then: "
        f"aws cloudformation continue-update-rollback --stack-name {stack.name}"
    )


def _line(leftover: Leftover) -> str:
    expected = leftover.expected
    end = f": {leftover.problem}" if leftover.problem else ""
    return f"{expected.stack}: {expected.kind} {expected.name}{end}"


def _write(folder: Path, mappings: Mapping[str, Mapping[str, Mapping[str, str]]]) -> None:
    """Write what to import for each stack, and delete what an earlier check wrote."""
    folder.mkdir(exist_ok=True)
    for former in folder.glob("*.json"):
        former.unlink()
    for stack, mapping in mappings.items():
        text = json.dumps(mapping, indent=2)
        (folder / f"{stack}.json").write_text(text, encoding="utf-8")

"""`matteline containers release` and `rollback`: the release machine, from a terminal."""

from __future__ import annotations

import sys

import click

from pipeline.cli.builds import Container
from pipeline.cli.site import site_options
from pipeline.declared.containers import ContainerManifest
from pipeline.operations.releasing import Action, Release, follow, start_release
from pipeline.operations.site import Site

_follows = click.option("--wait/--no-wait", default=True, help="Follow it to its end.")


@click.command("release")
@click.argument("container", type=Container())
@click.option("--version", help="Of an image that was built; else the manifest's.")
@_follows
@site_options
def release(site: Site, container: ContainerManifest, version: str | None, *, wait: bool) -> None:
    """Bring a built version of CONTAINER to `live`: scanned, judged, tried, a tenth at first."""
    _run(site, container, version or container.version, "deploy", wait=wait)


@click.command("rollback")
@click.argument("container", type=Container())
@click.argument("version")
@_follows
@site_options
def rollback(site: Site, container: ContainerManifest, version: str, *, wait: bool) -> None:
    """Bring CONTAINER back to a VERSION that was live before, all at once."""
    _run(site, container, version, "rollback", wait=wait)


def _run(
    site: Site, container: ContainerManifest, version: str, action: Action, *, wait: bool
) -> None:
    """Exit code 1 if the machine rejects it or rolls it back, with the machine's own reason."""
    arn = start_release(site, Release(container.name, version, action))
    click.echo(arn)
    if not wait:
        return
    execution = follow(site, arn)
    if execution.status != "SUCCEEDED":
        click.echo(f"{execution.error or execution.status}: {execution.cause or ''}", err=True)
        sys.exit(1)
    click.echo(f"{container.name} {version} is live")


RELEASE_COMMANDS = (release, rollback)

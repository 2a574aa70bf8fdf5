"""`matteline containers`: list containers, build their images, release and roll back versions."""

from __future__ import annotations

import sys

import click

from pipeline.cli.builds import BUILD_COMMANDS, Container
from pipeline.cli.options import ROOT
from pipeline.cli.site import site_options
from pipeline.declared.containers import ContainerManifest, load_containers
from pipeline.operations.releasing import Action, Release, follow, start_release
from pipeline.operations.site import Site
from pipeline.releases.images.build import build_images

_wait_option = click.option(
    "--wait/--no-wait", default=True, show_default=True, help="Wait until the release ends."
)


@click.group()
def containers() -> None:
    """List, check, build and release containers."""


@containers.command("list")
def list_containers() -> None:
    """List containers with version, job or protocol, and limits."""
    for row in load_containers(ROOT):
        limits = f"{row.memory_mb} MB, {row.timeout_s} s"
        click.echo(f"{row.name:20}{row.version:8}{row.purpose:18}{limits:16}{row.summary}")


@containers.command("build")
@click.argument("names", nargs=-1, type=Container())
@click.option("--gpu", is_flag=True, help="Build the GPU images, of containers that have one.")
def build(names: tuple[ContainerManifest, ...], *, gpu: bool) -> None:
    """Build the images of NAMES, or of every container.

    Needs buildah and root.
    """
    every = [each for each in load_containers(ROOT) if each.has_gpu_image or not gpu]
    build_images(ROOT, names or every, say=click.echo, gpu=gpu)


@containers.command("release")
@click.argument("container", type=Container())
@click.option(
    "--version", help="Version to release; its image must be built [default: the manifest's]."
)
@_wait_option
@site_options
def release(site: Site, container: ContainerManifest, version: str | None, *, wait: bool) -> None:
    """Release CONTAINER: scan, policy check, smoke test, canary.

    Exit code 1 if the release was rejected or rolled back.
    """
    _run(site, container, version or container.version, "deploy", wait=wait)


@containers.command("rollback")
@click.argument("container", type=Container())
@click.argument("version")
@_wait_option
@site_options
def rollback(site: Site, container: ContainerManifest, version: str, *, wait: bool) -> None:
    """Roll CONTAINER back to a VERSION that was live before.

    All traffic moves at once. Exit code 1 if the rollback was rejected or failed.
    """
    _run(site, container, version, "rollback", wait=wait)


def _run(
    site: Site, container: ContainerManifest, version: str, action: Action, *, wait: bool
) -> None:
    """Start a release and report how it ended; exit with 1 if it failed."""
    arn = start_release(site, Release(container.name, version, action))
    click.echo(arn)
    if not wait:
        return
    execution = follow(site, arn)
    if execution.status != "SUCCEEDED":
        click.echo(f"{execution.error or execution.status}: {execution.cause or ''}", err=True)
        sys.exit(1)
    click.echo(f"{container.name} {version} is live")


for command in BUILD_COMMANDS:
    containers.add_command(command)

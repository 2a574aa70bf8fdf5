"""`matteline containers`: the units the pipeline is made of, and their images."""

from __future__ import annotations

import click

from pipeline.cli.builds import BUILD_COMMANDS, Container
from pipeline.cli.options import ROOT
from pipeline.cli.releases import RELEASE_COMMANDS
from pipeline.declared.containers import ContainerManifest, load_containers
from pipeline.releases.images.build import build_images


@click.group()
def containers() -> None:
    """Look at the containers, and build their images."""


@containers.command("list")
def list_containers() -> None:
    """Every container: its version, job and limits."""
    for row in load_containers(ROOT):
        limits = f"{row.memory_mb} MB, {row.timeout_s} s"
        click.echo(f"{row.name:20}{row.version:8}{row.job:18}{limits:16}{row.summary}")


@containers.command("build")
@click.argument("names", nargs=-1, type=Container())
def build(names: tuple[ContainerManifest, ...]) -> None:
    """Build the images of NAMES, or of every container, with buildah; needs root."""
    build_images(ROOT, names or load_containers(ROOT), say=click.echo)


for command in (*BUILD_COMMANDS, *RELEASE_COMMANDS):
    containers.add_command(command)

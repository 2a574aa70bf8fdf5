"""`matteline page`: publish the page of a stage, and say which version is live."""

from __future__ import annotations

import click

from pipeline.cli.options import ROOT
from pipeline.cli.site import site_options
from pipeline.declared.page import page_folder
from pipeline.operations.publishing import NotPublished, live_version, publish, version_of
from pipeline.operations.site import Site


@click.group()
def page() -> None:
    """Publish the page of a stage on AWS."""


@page.command("publish")
@site_options
def publish_page(site: Site) -> None:
    """Store this checkout's page in the stage's bucket."""
    _require_aws(site)
    try:
        done = publish(site, page_folder(ROOT))
    except NotPublished as error:
        raise click.ClickException(str(error)) from error
    click.echo(f"{done.address}/ has version {done.version}")
    click.echo(f"stored {done.stored} files, deleted {done.deleted}", err=True)


@page.command("version")
@site_options
def version(site: Site) -> None:
    """Say which version is live, and which one this checkout has."""
    _require_aws(site)
    try:
        live = live_version(site)
    except NotPublished as error:
        raise click.ClickException(str(error)) from error
    click.echo(f"live      {live or 'none'}\ncheckout  {version_of(page_folder(ROOT))}")


def _require_aws(site: Site) -> None:
    if site.local:
        raise click.UsageError("the local cloud serves the files themselves: pass --stage NAME")

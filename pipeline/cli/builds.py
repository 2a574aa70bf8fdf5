"""`matteline containers` for builds: versions, their lock, and what vouches for an image."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any, Final

import click

from pipeline.cli.options import ROOT
from pipeline.declared.containers import ContainerManifest, load_containers
from pipeline.releases import content_lock
from pipeline.releases.evidence import (
    OTHERS,
    PAYLOAD_TYPE,
    PROVENANCE,
    SBOM,
    SELFTEST,
    Built,
    SelfTestUnread,
    envelope_of,
    name_sbom,
    pre_authentication,
    read_selftest,
    statement_of,
)
from pipeline.releases.shipping import content_digest

STATEMENT: Final = "statement.json"
TO_SIGN: Final = "statement.dsse"


class Container(click.ParamType[ContainerManifest]):
    """A container, by its name."""

    name = "container"

    def convert(self, value: Any, param: Any, ctx: Any) -> ContainerManifest:
        known = {container.name: container for container in load_containers(ROOT)}
        if value not in known:
            self.fail(f"no container is called {value!r}; there are {', '.join(known)}", param, ctx)
        return known[value]


_folder = click.option(
    "--folder", default="evidence", type=click.Path(exists=True, file_okay=False, path_type=Path)
)


@click.command("check")
def check() -> None:
    """Does every version stand for what it was committed with? Changes nothing."""
    problems = list(content_lock.problems(ROOT))
    for problem in problems:
        click.echo(problem, err=True)
    sys.exit(bool(problems))


@click.command("lock")
def lock() -> None:
    """Write down what every container's version stands for."""
    try:
        content_lock.lock(ROOT)
    except content_lock.VersionTaken as taken:
        raise click.ClickException(str(taken)) from taken


@click.command("bump")
@click.argument("names", nargs=-1, required=True, type=Container())
def bump(names: tuple[ContainerManifest, ...]) -> None:
    """Raise the version of NAMES, once for each commit, and lock what it stands for."""
    for container in names:
        raised = content_lock.bump(ROOT, container)
        click.echo(f"{raised.name} {raised.version}: say in CHANGELOG.md what changed")
    content_lock.lock(ROOT)


@click.command("version")
@click.argument("container", type=Container())
@click.option("--tag", default="", help="Of the form tag/edge-refiner/v1.3.0; must agree.")
def version(container: ContainerManifest, tag: str) -> None:
    """The version in the container's manifest."""
    expected = f"{container.name}/v{container.version}"
    if tag and tag.removeprefix("tag/") != expected:
        raise click.ClickException(
            f"the tag {tag.removeprefix('tag/')} is not {expected}, which the manifest says; "
            "tag again, or mend the manifest and tag that"
        )
    click.echo(container.version)


@click.command("evidence")
@click.argument("container", type=Container())
@_folder
def evidence(container: ContainerManifest, folder: Path) -> None:
    """Turn selftest.log and sbom.json in FOLDER into what a release asks for."""
    of = {"container": container.name, "version": container.version}
    try:
        selftest = read_selftest((folder / "selftest.log").read_text(encoding="utf-8"), **of)
    except SelfTestUnread as error:
        raise click.ClickException(str(error)) from error
    bill = json.loads((folder / "sbom.json").read_text(encoding="utf-8"))
    _write(folder / SELFTEST, selftest)
    _write(folder / SBOM, name_sbom(bill, **of))


@click.command("state")
@click.argument("container", type=Container())
@_folder
@click.option("--digest", required=True, help="The image's, sha256:….")
@click.option("--revision", required=True, help="The commit that was built.")
@click.option("--build", required=True, help="The build's own ARN.")
def state(
    container: ContainerManifest, folder: Path, digest: str, revision: str, build: str
) -> None:
    """State in FOLDER who built the image out of what; leave beside it the bytes to sign."""
    built = Built(
        container=container.name,
        version=container.version,
        digest=digest,
        content=content_digest(ROOT, container.folder),
        revision=revision,
        build=build,
    )
    _write(folder / STATEMENT, statement_of(built, {name: _read(folder, name) for name in OTHERS}))
    (folder / TO_SIGN).write_bytes(pre_authentication(PAYLOAD_TYPE, _read(folder, STATEMENT)))


@click.command("vouch")
@click.argument("key")
@click.argument("signature")
@_folder
def vouch(key: str, signature: str, folder: Path) -> None:
    """Put the statement in FOLDER into an envelope, with the base64 SIGNATURE that KEY made."""
    _write(folder / PROVENANCE, envelope_of(_read(folder, STATEMENT), key=key, signature=signature))


def _read(folder: Path, name: str) -> bytes:
    return (folder / name).read_bytes()


def _write(path: Path, document: dict[str, Any]) -> None:
    path.write_text(json.dumps(document, indent=2), encoding="utf-8")


BUILD_COMMANDS: Final = (check, lock, bump, version, evidence, state, vouch)

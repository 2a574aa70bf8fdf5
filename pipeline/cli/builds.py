"""`matteline containers` for builds: versions, their content lock, and an image's evidence."""

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
from pipeline.spelling import did_you_mean

STATEMENT: Final = "statement.json"
TO_SIGN: Final = "statement.dsse"


class Container(click.ParamType[ContainerManifest]):
    """A container's name, parsed to its manifest."""

    name = "container"

    def convert(self, value: Any, param: Any, ctx: Any) -> ContainerManifest:
        known = {container.name: container for container in load_containers(ROOT)}
        if value not in known:
            hint = did_you_mean(str(value), known) or f"; choose from {', '.join(known)}"
            self.fail(f"unknown container {value!r}{hint}", param, ctx)
        return known[value]


_folder = click.option(
    "--folder",
    default="evidence",
    show_default=True,
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="Folder with the image's evidence.",
)


_tag = click.option("--tag", help="Tag of the image [default: the manifest's version].")


@click.command("check")
def check() -> None:
    """Check that no container changed without a version bump."""
    problems = list(content_lock.problems(ROOT))
    for problem in problems:
        click.echo(problem, err=True)
    sys.exit(bool(problems))


@click.command("lock")
def lock() -> None:
    """Record the content of every container's version."""
    _lock()


@click.command("bump")
@click.argument("names", nargs=-1, required=True, type=Container())
def bump(names: tuple[ContainerManifest, ...]) -> None:
    """Raise the versions of NAMES and record their content.

    Each version rises once per commit.
    """
    for container in names:
        raised = content_lock.bump(ROOT, container)
        click.echo(f"{raised.name} {raised.version}: describe the change in CHANGELOG.md")
    _lock()


def _lock() -> None:
    try:
        content_lock.lock(ROOT)
    except content_lock.VersionTaken as taken:
        raise click.ClickException(str(taken)) from taken


@click.command("version")
@click.argument("container", type=Container())
@click.option(
    "--tag", default="", help="Fail unless this tag names the version, as tag/edge-refiner/v1.3.0."
)
def version(container: ContainerManifest, tag: str) -> None:
    """Print the version in CONTAINER's manifest."""
    expected = f"{container.name}/v{container.version}"
    if tag and tag.removeprefix("tag/") != expected:
        raise click.ClickException(
            f"the tag is {tag.removeprefix('tag/')}, but the manifest needs {expected}; "
            "correct the tag, or change the manifest and tag that commit"
        )
    click.echo(container.version)


@click.command("evidence")
@click.argument("container", type=Container())
@_folder
@_tag
def evidence(container: ContainerManifest, folder: Path, tag: str | None) -> None:
    """Convert a build's output to evidence for the release gate.

    Reads selftest.log and sbom.json in the folder.
    """
    of = {"container": container.name, "version": tag or container.version}
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
@click.option("--digest", required=True, help="Digest of the image (sha256:…).")
@click.option("--revision", required=True, help="Commit that was built.")
@click.option("--build", required=True, help="ARN of the build.")
def state(
    container: ContainerManifest, folder: Path, digest: str, revision: str, build: str
) -> None:
    """Write the image's provenance, and the bytes to sign."""
    built = Built(
        container=container.name,
        version=json.loads(_read(folder, SELFTEST))["version"],
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
    """Wrap the provenance statement in a signed envelope.

    SIGNATURE is in base64, by the KMS key KEY.
    """
    _write(folder / PROVENANCE, envelope_of(_read(folder, STATEMENT), key=key, signature=signature))


def _read(folder: Path, name: str) -> bytes:
    return (folder / name).read_bytes()


def _write(path: Path, document: dict[str, Any]) -> None:
    path.write_text(json.dumps(document, indent=2), encoding="utf-8")


BUILD_COMMANDS: Final = (check, lock, bump, version, evidence, state, vouch)

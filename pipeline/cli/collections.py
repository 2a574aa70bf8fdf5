"""`matteline collections`: create, fill, look after and delete collections of vectors."""

from __future__ import annotations

import sys
from datetime import datetime
from pathlib import Path
from typing import Any, Final, get_args

import click

from pipeline.cli.collection_actions import asker, checked, named_answers, perform, save
from pipeline.cli.collection_reports import (
    print_collection,
    print_collections,
    print_result,
    print_searches,
)
from pipeline.cli.enrolling import Enrolment, enroll_photos, enroll_prefix
from pipeline.cli.options import ROOT, Principal, Word, output_option
from pipeline.cli.preconditions import require_writable
from pipeline.cli.site import Moment, site_options
from pipeline.contracts.collection import (
    ERASE_WITHIN_DAYS,
    Backend,
    Consent,
    Exported,
    IndexKind,
    PersonFrom,
)
from pipeline.contracts.collection_requests import (
    Allow,
    Compact,
    Create,
    Delete,
    Enroll,
    Export,
    Forget,
    Move,
    Request,
)
from pipeline.errors import ConsentMissing, UnknownModel
from pipeline.operations.collections import (
    describe_collection,
    describe_collections,
    list_searches,
)
from pipeline.operations.site import Site
from pipeline.session.choice import ModelChoice
from pipeline.session.session import read_catalogue

EMBEDDER: Final = "face-embedder"
_MOST_RETENTION_DAYS: Final = 3650
_MOST_ERASE_DAYS: Final = 30


name_argument = click.argument("name")
person_option = click.option("--person", metavar="ID", help="Person, as enrolled.")


@click.group()
def collections() -> None:
    """Keep vectors to find a face again; forget them."""


@collections.command("list")
@site_options
def list_collections(site: Site) -> None:
    """List collections, with how many vectors each has."""
    with named_answers():
        found = describe_collections(site, asked_by=asker(site))
    print_collections(found)


@collections.command("show")
@name_argument
@site_options
def show(site: Site, name: str) -> None:
    """Show why a collection exists, and what it has."""
    with named_answers():
        found = describe_collection(site, name, asked_by=asker(site))
    print_collection(found)


@collections.command("create")
@name_argument
@click.option("--purpose", metavar="TEXT", help="Why these vectors are kept; required.")
@click.option(
    "--legal-basis", metavar="TEXT", help="What allows you to keep them, such as consent; required."
)
@click.option(
    "--retention-days",
    type=click.IntRange(1, _MOST_RETENTION_DAYS),
    help="Days after which a vector is never found, then erased; required.",
)
@click.option(
    "--model", metavar="NAME", help="Model that makes the vectors [default: of the catalogue]."
)
@click.option(
    "--backend",
    type=Word(get_args(Backend)),
    default="segments",
    show_default=True,
    help="Where vectors are searched; s3-vectors is for what outgrows a function.",
)
@click.option(
    "--index",
    type=Word(get_args(IndexKind)),
    default="flat",
    show_default=True,
    help="How vectors are searched; flat is exact.",
)
@click.option(
    "--allow",
    "allowed",
    metavar="PRINCIPAL",
    multiple=True,
    type=Principal(),
    help="Prefix of a principal of the HTTP API that may search it; repeatable.",
)
@click.option(
    "--erase-within-days",
    type=click.IntRange(1, _MOST_ERASE_DAYS),
    default=ERASE_WITHIN_DAYS,
    show_default=True,
    help="Days within which what is forgotten is erased.",
)
@site_options
def create(  # noqa: PLR0913 - one for each option
    site: Site,
    name: str,
    *,
    purpose: str | None,
    legal_basis: str | None,
    retention_days: int | None,
    model: str | None,
    **wanted: Any,
) -> None:
    """Create an empty collection for a stated purpose.

    Nothing is created without a purpose, a legal basis and a retention. NAME has at most 40 lower
    case letters, digits and hyphens.
    """
    stated = {
        "--purpose": purpose,
        "--legal-basis": legal_basis,
        "--retention-days": retention_days,
    }
    if missing := [option for option, value in stated.items() if not value]:
        raise ConsentMissing(f"a collection needs {', '.join(missing)}")
    request = checked(
        lambda: Create(
            collection=name,
            consent=Consent(
                purpose=str(purpose),
                legal_basis=str(legal_basis),
                retention_days=int(retention_days or 0),
            ),
            model=_embedder(model),
            **wanted,
        )
    )
    _perform(site, request)


@collections.command("allow")
@name_argument
@click.option(
    "--principal",
    "allow",
    metavar="PRINCIPAL",
    multiple=True,
    type=Principal(),
    help="Prefix of a principal of the HTTP API that may search it from now on; repeatable.",
)
@click.option(
    "--revoke",
    metavar="PRINCIPAL",
    multiple=True,
    type=Principal(),
    help="Prefix of one that may no longer; repeatable.",
)
@site_options
def allow(site: Site, name: str, **changed: Any) -> None:
    """Change who may search a collection besides operators.

    The next search obeys. Who is not named keeps what they may.
    """
    _perform(site, checked(lambda: Allow(collection=name, **changed)))


@collections.command("enroll")
@name_argument
@click.argument("photos", nargs=-1)
@click.option("--prefix", help="Enroll the photos whose output records' keys begin with this.")
@person_option
@click.option(
    "--person-from",
    type=Word(get_args(PersonFrom)),
    help="Take the person from each photo's folder or file name.",
)
@click.option(
    "--face",
    "faces",
    type=click.IntRange(0),
    multiple=True,
    help="Face to enroll, by its index in `_faces.json`; repeatable [default: all].",
)
@click.option(
    "--below", metavar="PREFIX", help="Where in the ingest bucket to put photos [default: NAME/]."
)
@site_options
def enroll(  # noqa: PLR0913 - one for each option
    site: Site,
    name: str,
    photos: tuple[str, ...],
    *,
    prefix: str | None,
    person: str | None,
    person_from: PersonFrom | None,
    faces: tuple[int, ...],
    below: str | None,
) -> None:
    """Enroll the faces of photos in a collection.

    PHOTOS are files and folders of this computer, which are uploaded, or keys in the ingest bucket.
    Each large and clear face becomes a vector; enrolling a photo again adds nothing. Exit code 1 if
    a photo failed or had nothing to enroll.
    """
    if bool(photos) == (prefix is not None):
        raise click.UsageError("name photos or pass --prefix, but not both")
    if person is not None and person_from is not None:
        raise click.UsageError("pass --person or --person-from, but not both")
    who = Enrolment(name, person, person_from, faces or None)
    checked(lambda: Enroll(collection=name, prefix=prefix or "", **who.wanted))
    if prefix is not None:
        sys.exit(enroll_prefix(site, who, prefix, asked_by=asker(site)))
    with named_answers():
        model = describe_collection(site, name, asked_by=asker(site)).model
    below = f"{name}/" if below is None else below
    sys.exit(enroll_photos(site, who, photos, model=model, below=below, asked_by=asker(site)))


@collections.command("forget")
@name_argument
@person_option
@click.option("--photo", metavar="KEY", help="Photo, by its key in the ingest bucket.")
@site_options
def forget(site: Site, name: str, *, person: str | None, photo: str | None) -> None:
    """Forget a person or a photo, and print the receipt.

    The next search finds nothing of it. The vectors are erased by the date that is printed.
    """
    if (person is None) == (photo is None):
        raise click.UsageError("pass --person or --photo, but not both")
    _perform(site, checked(lambda: Forget(collection=name, person=person, photo=photo)))


@collections.command("compact")
@name_argument
@click.option("--force", is_flag=True, help="Erase all that is forgotten or expired, now.")
@site_options
def compact(site: Site, name: str, *, force: bool) -> None:
    """Erase what is due, and merge small segments.

    A stage on AWS does it every six hours.
    """
    _perform(site, checked(lambda: Compact(collection=name, force=force)))


@collections.command("export")
@name_argument
@click.option("--person", metavar="ID", required=True, help="Person, as enrolled.")
@output_option(default=Path(), show_default="this folder")
@site_options
def export(site: Site, name: str, *, person: str, output: Path) -> None:
    """Write all that a collection has of a person.

    Writes NAME_export.json and NAME_export.safetensors into the output folder. Exit code 1 if it
    has nothing of that person.
    """
    require_writable(output)
    request = checked(lambda: Export(collection=name, person=person))
    result = perform(site, request, asked_by=asker(site))
    if not isinstance(result, Exported) or not result.count:
        raise click.ClickException(f"{name} has nothing of this person")
    for artifact, suffix in ((result.document, "json"), (result.vectors, "safetensors")):
        if artifact:
            path = output / f"{name}_export.{suffix}"
            save(site, artifact, path)
            click.echo(path)


@collections.command("move")
@name_argument
@click.option("--to", type=Word(get_args(Backend)), required=True, help="Backend to move it to.")
@site_options
def move(site: Site, name: str, *, to: Backend) -> None:
    """Move a collection to another backend.

    It can be searched meanwhile. A move that was interrupted goes on where it stopped.
    """
    _perform(site, checked(lambda: Move(collection=name, to=to)))


@collections.command("delete")
@name_argument
@click.option("--yes", is_flag=True, help="Do not ask for its name.")
@site_options
def delete(site: Site, name: str, *, yes: bool) -> None:
    """Delete a collection and all its vectors for good.

    Asks for its name. The photos and the files of their faces stay, and so do receipts and the
    records of searches.
    """
    request = checked(lambda: Delete(collection=name))
    if not yes and click.prompt(f"This cannot be undone. Type {name} to delete it") != name:
        raise click.ClickException("nothing was deleted: that is not its name")
    _perform(site, request)


@collections.command("searches")
@name_argument
@click.option(
    "--since",
    type=Moment(),
    default="7d",
    show_default=True,
    help="Only searches since then: 2h, 7d, or a date.",
)
@click.option(
    "--limit",
    type=click.IntRange(1, 1000),
    default=50,
    show_default=True,
    help="Maximum number of searches.",
)
@site_options
def searches(site: Site, name: str, *, since: datetime, limit: int) -> None:
    """List who searched a collection, latest first."""
    with named_answers():
        found = list_searches(site, name, since, limit=limit, asked_by=asker(site))
    print_searches(found)


def _perform(site: Site, request: Request) -> None:
    """Perform an action and print its result."""
    print_result(perform(site, request, asked_by=asker(site)))


def _embedder(name: str | None) -> str:
    """Return the model with this name. Raises UnknownModel if it makes no vectors of faces."""
    catalogue = read_catalogue(ROOT, ModelChoice())
    if name is None:
        return catalogue.defaults[EMBEDDER]
    rows = [row.name for row in catalogue.rows if row.container == EMBEDDER]
    if name not in rows:
        raise UnknownModel(f"{name!r} makes no vectors of faces; there is {', '.join(rows)}")
    return name

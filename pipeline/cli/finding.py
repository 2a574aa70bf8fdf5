"""`matteline faces find`: find the faces of a photo in a collection, or among other photos."""

from __future__ import annotations

import json
import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import click

from pipeline.artifacts import Location
from pipeline.cli.collection_actions import asker, checked, named_answers, raise_failure
from pipeline.cli.collection_reports import found_as_json, print_found, require_vectors
from pipeline.cli.finding_among import find_among
from pipeline.cli.options import weights_options
from pipeline.cli.report import console
from pipeline.cli.site import endpoint_option, named_failures, site_of, stage_option
from pipeline.contracts.collection_searches import RecordQuery, Searched
from pipeline.declared.names import LOCAL_STAGE
from pipeline.operations.collections import Wanted, describe_collection, search_collection
from pipeline.operations.face_records import delete_upload, embed_photo, upload_photo
from pipeline.operations.lookup import latest_stored
from pipeline.operations.site import Site
from pipeline.session.choice import ModelChoice

_MOST_MATCHES: Final = 100
_UPLOADS: Final = "searches/"  # of the ingest bucket: what is there is deleted after the search


@click.command()
@click.argument("photo")
@click.option("--in", "collection", metavar="NAME", help="Collection to search.")
@click.option(
    "--among",
    type=click.Path(exists=True, path_type=Path),
    multiple=True,
    help="Folder or photo to search instead, keeping nothing; repeatable.",
)
@click.option(
    "--face", type=click.IntRange(0), help="Face to look for, in `_faces.json` [default: all]."
)
@click.option(
    "-k",
    type=click.IntRange(1, _MOST_MATCHES),
    default=20,
    show_default=True,
    help="Most candidates of a face.",
)
@click.option(
    "--threshold",
    type=click.FloatRange(-1, 1),
    help="Least similarity of a candidate [default: the model's].",
)
@click.option("--person", metavar="ID", help="Search only this person's vectors.")
@click.option("--embedder", metavar="NAME", help="With --among: model that makes the vectors.")
@click.option("--json", "as_json", is_flag=True, help="Print the answer as JSON.")
@stage_option
@endpoint_option
@weights_options
def find(  # noqa: PLR0913 - one for each option
    photo: str,
    *,
    collection: str | None,
    among: tuple[Path, ...],
    face: int | None,
    k: int,
    threshold: float | None,
    person: str | None,
    embedder: str | None,
    as_json: bool,
    stage: str,
    endpoint_url: str,
    choice: ModelChoice,
) -> None:
    """Find a face in a collection, or among photos.

    PHOTO is a file of this computer, or a key in the ingest bucket. A file is uploaded to the stage
    of the collection, and deleted after the search. With --among, all happens on this computer.
    What is found are candidates, not identities.
    """
    if bool(among) == (collection is not None):
        raise click.UsageError("pass --in NAME or --among FOLDER, but not both")
    wanted = checked(lambda: Wanted(k=k, threshold=threshold, person=person))
    if collection is not None:
        if embedder is not None:
            raise click.UsageError("--embedder is for --among: a collection has its own model")
        with named_failures(stage):
            site = site_of(stage, endpoint_url)
            _show(_in_collection(site, collection, photo, face, wanted), as_json=as_json)
        return
    if person is not None:
        raise click.UsageError("--person is for --in: photos of a folder are nobody's")
    if stage != LOCAL_STAGE:
        raise click.UsageError("--among searches on this computer, without --stage")
    if not Path(photo).is_file():
        raise click.UsageError(f"{photo} is not a file: with --among, all is on this computer")
    found = find_among(Path(photo), among, face, wanted, embedder=embedder, choice=choice)
    _show(found.searched, found.named, as_json=as_json)


def _in_collection(site: Site, name: str, photo: str, face: int | None, wanted: Wanted) -> Searched:
    """Search a collection for the faces of a photo. Raises UsageError if there is no such photo."""
    asked_by = asker(site)
    with named_answers():
        model = describe_collection(site, name, asked_by=asked_by).model
    with console().status("Finding faces …"), _stored(site, photo, model) as place:
        made = embed_photo(site, place, model)
        if made.record is None:
            raise_failure(made.failure, photo)
        require_vectors(photo, made.vectors)
        query = RecordQuery(record=made.record, face=face)
        with named_answers():
            return search_collection(site, name, query, wanted, asked_by=asked_by)


@contextmanager
def _stored(site: Site, photo: str, model: str) -> Iterator[Location]:
    """Provide where a photo is in the ingest bucket; one that is uploaded is deleted afterwards."""
    path = Path(photo)
    if path.is_file():
        key = f"{_UPLOADS}{secrets.token_hex(12)}/{path.name}"
        place = upload_photo(site, path, key, model)
        try:
            yield place
        finally:
            delete_upload(site, place)
        return
    place = Location(site.names.bucket("ingest"), photo)
    if latest_stored(site, place) is None:
        raise click.UsageError(f"{photo} is no file here, and no key of {place.bucket}")
    yield place


def _show(searched: Searched, named: Callable[[str], str] = str, *, as_json: bool) -> None:
    if as_json:
        click.echo(json.dumps(found_as_json(searched, named), indent=2))
    else:
        print_found(searched, named)

"""Find the faces of a photo among other photos, in a local cloud, and keep nothing."""

from __future__ import annotations

import functools
import json
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple

import click

from pipeline.cli.collection_actions import named_answers
from pipeline.cli.collection_reports import named_by, require_vectors
from pipeline.cli.options import ROOT
from pipeline.cli.preconditions import require_scratch
from pipeline.cli.report import console, print_skipped, progress
from pipeline.contracts.collection import MOST_RECORDS
from pipeline.contracts.collection_searches import RecordQuery, Searched
from pipeline.contracts.output_keys import output_stem
from pipeline.declared.names import LOCAL_NAMES
from pipeline.declared.products import load_products
from pipeline.operations.collections import Wanted, operator_of, search_records
from pipeline.operations.site import local_site
from pipeline.session.agreement import terms_of
from pipeline.session.batch import process
from pipeline.session.choice import ModelChoice
from pipeline.session.cloud_for_run import cloud_for_run
from pipeline.session.collecting import AGAIN, collect
from pipeline.session.media import FACES
from pipeline.session.run_messages import RunRequest

if TYPE_CHECKING:
    from pipeline.session.batch import MediaFile, Outcome

_EMBED: Final = "embed"
_EMBEDDER: Final = "embedder"


class FoundAmong(NamedTuple):
    """What was found, and how to show a photo's key: as its path."""

    searched: Searched
    named: Callable[[str], str]


def find_among(  # noqa: PLR0913 - keyword-only
    photo: Path,
    among: Sequence[Path],
    face: int | None,
    sought: Wanted,
    *,
    embedder: str | None,
    choice: ModelChoice,
) -> FoundAmong:
    """Have the vectors of all faces made, and search those of `among` for those of `photo`.

    Raises UsageError if there is no such photo, nothing to search, or too much; ClickException if
    the photo has no record.
    """
    say = functools.partial(click.echo, err=True)
    files = _collected(photo, among, say)
    require_scratch()
    options = {_EMBED: "true", **({_EMBEDDER: embedder} if embedder else {})}
    named = {_EMBEDDER: embedder} if embedder else {}
    request = RunRequest(terms_of(ROOT, choice), None, [FACES.product], sorted(options), named)
    with (
        cloud_for_run(ROOT, choice, request, say=say, calls_at_once=len(files)) as cloud,
        tempfile.TemporaryDirectory() as folder,
    ):
        with progress(console(), files) as advance:
            outcomes = process(
                cloud,
                files,
                options={FACES.product: options},
                output=Path(folder),
                on_progress=advance,
            )
        wanted, *others = outcomes
        if not wanted.done:
            raise click.ClickException(f"{photo}: {wanted.reason}")
        require_vectors(str(photo), _vectors_of(wanted))
        for each in others:
            if not each.done:
                say(f"{each.status} {each.file.path}: {each.reason}")
        paths = {each.key: each.file.path for each in others if each.done}
        if not paths:
            raise click.ClickException("there is no photo to search among")
        site = local_site(LOCAL_NAMES, cloud.greeting.endpoint, load_products(ROOT))
        with named_answers():
            searched = search_records(
                site,
                map(_record, paths),
                RecordQuery(record=_record(wanted.key), face=face),
                sought,
                asked_by=operator_of(site),
            )
    return FoundAmong(searched, named_by(paths))


def _vectors_of(outcome: Outcome) -> int:
    record = json.loads(outcome.record.read_bytes()) if outcome.record else {}
    return int(record.get("embedded") or 0)


def _record(key: str) -> str:
    return f"{output_stem(key)}{FACES.record}"


def _collected(photo: Path, among: Sequence[Path], say: Callable[[str], None]) -> list[MediaFile]:
    """Return the photo and then those to search. Raises UsageError if they are too many or none."""
    found = collect([photo, *among], output=Path("out"), product=FACES.product)
    print_skipped(say, [each for each in found.skipped if each.why != AGAIN])
    for lost in found.lost:
        say(f"{lost.status} {lost.reason}")
    files = list(found.files)
    if not files or files[0].path != photo:
        raise click.UsageError(f"{photo} is not a photo")
    if len(files) == 1:
        raise click.UsageError("there is no other photo to search among")
    if len(files) > MOST_RECORDS + 1:
        raise click.UsageError(
            f"{len(files) - 1:,} photos: at most {MOST_RECORDS} are searched without a collection"
        )
    return files

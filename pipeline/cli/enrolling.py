"""Enroll photos: upload those of this computer, have their faces' vectors made, enroll these."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Final

import click
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from pipeline.artifacts import Location
from pipeline.cli.collection_actions import perform
from pipeline.cli.collection_reports import print_result
from pipeline.cli.printable import printable
from pipeline.cli.report import console, print_skipped, printer
from pipeline.contracts.collection import MOST_RECORDS, PersonFrom, Skip
from pipeline.contracts.collection_enrolments import Enrolled
from pipeline.contracts.collection_requests import Enroll
from pipeline.contracts.collection_runs import PrefixEnrolled
from pipeline.operations.executions import in_one_line
from pipeline.operations.face_records import Recorded, embed_photo, upload_photo
from pipeline.operations.lookup import latest_stored
from pipeline.operations.site import Site
from pipeline.outcomes import Failure
from pipeline.session.collecting import collect
from pipeline.session.media import FACES
from pipeline.session.whole_files import reason_of

_AT_ONCE: Final = 8
_KNOWN: Final = "enrolled before"


@dataclass(frozen=True)
class Enrolment:
    """A collection, whose the faces are, and which of a photo's faces to take."""

    collection: str
    person: str | None
    person_from: PersonFrom | None
    faces: tuple[int, ...] | None

    @property
    def wanted(self) -> dict[str, Any]:
        return {"person": self.person, "person_from": self.person_from, "faces": self.faces}


def enroll_prefix(site: Site, who: Enrolment, prefix: str, *, asked_by: str) -> int:
    """Enroll what the output bucket has below a prefix; return the exit code."""
    request = Enroll(collection=who.collection, prefix=prefix, **who.wanted)
    result = perform(site, request, asked_by=asked_by)
    print_result(result)
    skipped = result.counts.skipped if isinstance(result, PrefixEnrolled) else {}
    return int(bool(skipped.keys() - {_KNOWN}))


def enroll_photos(  # noqa: PLR0913 - keyword-only
    site: Site, who: Enrolment, photos: Sequence[str], *, model: str, below: str, asked_by: str
) -> int:
    """Enroll files, folders and keys; print what became of them; return the exit code."""
    files = _keys(_local(photos), below)
    keys = [each for each in photos if not Path(each).exists()]
    bucket = site.names.bucket("ingest")
    for key in keys:
        if latest_stored(site, Location(bucket, key)) is None:
            raise click.UsageError(f"{key} is no file or folder here, and no key of {bucket}")
    wanted = {**dict.fromkeys(keys), **files}
    if not wanted:
        raise click.UsageError("no photos found in the given folders")
    try:
        made = _embedded(site, wanted, model)
    except KeyboardInterrupt:
        click.echo("Nothing was enrolled. To go on, type the same command again.", err=True)
        raise
    records = {each.record: key for key, each in made.items() if each.record}
    batches = (
        tuple(records)[at : at + MOST_RECORDS] for at in range(0, len(records), MOST_RECORDS)
    )
    requests = [Enroll(collection=who.collection, records=each, **who.wanted) for each in batches]
    results = [perform(site, request, asked_by=asked_by) for request in requests]
    failed = {key: each.failure for key, each in made.items() if each.failure}
    for key, failure in failed.items():
        printer(console())(printable(f"FAILED {key}: {in_one_line(failure)}"))
    skipped = {
        records.get(each.record, each.record): each.why
        for result in results
        if isinstance(result, Enrolled)
        for each in result.skipped
    }
    for key, why in skipped.items():
        printer(console())(printable(f"SKIPPED {key}: {_in_words(why, made[key].vectors)}"))
    _print_shared(who, [key for key in records.values() if key not in skipped], made)
    for result in results:
        print_result(result)
    return int(bool(failed or set(skipped.values()) - {_KNOWN}))


def _local(photos: Sequence[str]) -> Iterator[tuple[Path, Path]]:
    """Yield each photo of this computer, and its path from the parent of what the user named."""
    named = [Path(each) for each in photos if Path(each).exists()]
    found = collect(named, output=Path("out"), product=FACES.product)
    print_skipped(click.echo, found.skipped)
    if found.lost:
        raise click.ClickException("\n".join(each.reason for each in found.lost))
    folders = [path.resolve() for path in named if path.is_dir()]
    for file in found.files:
        path = file.path.absolute()
        top = next((each for each in folders if path.is_relative_to(each)), path.parent)
        yield file.path, path.relative_to(top.parent)


def _keys(files: Iterator[tuple[Path, Path]], below: str) -> dict[str, Path]:
    """Return the photos by their keys. Raises UsageError if two would have the same."""
    keys: dict[str, Path] = {}
    for path, relative in files:
        key = f"{below}{relative.as_posix()}"
        if key in keys:
            raise click.UsageError(f"{keys[key]} and {path} would both become {key}")
        keys[key] = path
    return keys


def _embedded(site: Site, photos: Mapping[str, Path | None], model: str) -> dict[str, Recorded]:
    """Return the record of each key; photos with a path are uploaded first."""
    columns = (
        TextColumn("Finding faces"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
    )
    made, leaving, screen = {}, threading.Event(), console()
    with (
        Progress(*columns, console=screen, transient=True, disable=not screen.is_terminal) as bars,
        ThreadPoolExecutor(_AT_ONCE) as threads,
    ):
        bar = bars.add_task("", total=len(photos))
        work = partial(_embed, site, model, leaving)
        try:
            for key, recorded in zip(photos, threads.map(work, photos.items()), strict=True):
                made[key] = recorded
                bars.advance(bar)
        finally:
            leaving.set()  # after an interrupt, the photos under way are not awaited
    return made


def _embed(
    site: Site, model: str, leaving: threading.Event, photo: tuple[str, Path | None]
) -> Recorded:
    key, path = photo
    place = Location(site.names.bucket("ingest"), key)
    if path is not None:
        try:
            place = upload_photo(site, path, key, model)
        except OSError as error:
            return Recorded(None, failure=Failure("Unreadable", reason_of(error)))
    return embed_photo(site, place, model, leaving)


def _in_words(why: Skip, vectors: int) -> str:
    """Return why nothing of a photo was enrolled that has this many faces with a vector."""
    if why == "no clear face":
        return "no face that is large and clear enough"
    if why == "no vectors" and vectors:
        return "not this face"
    return f"{why}; it stays whose it was" if why == _KNOWN else why


def _print_shared(who: Enrolment, enrolled: Sequence[str], made: Mapping[str, Recorded]) -> None:
    """Print of which photos several faces became one person's, perhaps by mistake."""
    if who.faces or (who.person, who.person_from) == (None, None):
        return
    for key in enrolled:
        if (count := made[key].vectors) > 1:
            printer(console())(
                f"CHECK {key}: its {count} faces are one person's now. If they are not, "
                "forget it with --photo, and enroll it with --face."
            )

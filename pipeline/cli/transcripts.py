"""`matteline transcripts`: search transcripts."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from pipeline.cli.site import endpoint_option, named_failures, site_of, stage_option

if TYPE_CHECKING:
    from pipeline.operations.phrases import SaidWord
    from pipeline.operations.stored_transcripts import StoredTranscript

_SCHEME = "s3://"


@click.group()
def transcripts() -> None:
    """Search the transcripts of recordings."""


@transcripts.command("grep")
@click.argument("word")
@click.argument("place", required=False)
@click.option("--speaker", metavar="NAME", help="Only words of this speaker, such as SPEAKER_00.")
@click.option(
    "--context",
    type=click.IntRange(0),
    default=5,
    show_default=True,
    help="Words to print on each side.",
)
@stage_option
@endpoint_option
def grep(  # noqa: PLR0913 - one for each option
    word: str,
    place: str | None,
    *,
    speaker: str | None,
    context: int,
    stage: str,
    endpoint_url: str,
) -> None:
    """Print where a word is said, and by whom.

    WORD may be several words, in quotes; case, accents and punctuation do not matter. PLACE is a
    folder of results or one transcript, or s3://BUCKET/PREFIX [default: the output bucket of the
    stage]. Prints the file, the time, the speaker and the words. Exit code 1 if nothing is found.
    """
    from pipeline.operations.phrases import find_phrase, terms_of
    from pipeline.operations.stored_transcripts import NotATranscript

    phrase = terms_of(word)
    if not phrase:
        raise click.UsageError(f"{word!r} has neither letters nor digits")
    found = False
    with named_failures(stage):
        for stored in _transcripts(place, stage, endpoint_url):
            try:
                words = stored.words()
            except NotATranscript as reason:
                click.echo(
                    f"skipped {_printable(stored.name)}: {_printable(str(reason))}", err=True
                )
                continue
            for at in find_phrase(words, phrase):
                first = words[at.start]
                if speaker is None or first.speaker == speaker:
                    found = True
                    fields = stored.name, _clock(first.start), first.speaker or "-"
                    said = _said(words, at, context)
                    click.echo("  ".join((*map(_printable, fields), said)))
    sys.exit(not found)


def _transcripts(place: str | None, stage: str, endpoint_url: str) -> Iterator[StoredTranscript]:
    from pipeline.operations.stored_transcripts import (
        stored_file,
        transcripts_in_bucket,
        transcripts_in_folder,
    )

    if place is None or place.startswith(_SCHEME):
        site = site_of(stage, endpoint_url)
        named = (place or "").removeprefix(_SCHEME) if place else site.names.bucket("output")
        bucket, _, prefix = named.partition("/")
        if not bucket:
            raise click.UsageError(f"{place} names no bucket")
        return transcripts_in_bucket(site.client("s3"), bucket, prefix)
    path = Path(place)
    if path.is_file():
        return iter((stored_file(path),))
    if not path.is_dir():
        raise click.UsageError(f"{place} does not exist")
    return transcripts_in_folder(path)


def _said(words: Sequence[SaidWord], at: range, context: int) -> str:
    from pipeline.operations.phrases import join_words

    begin, end = max(0, at.start - context), min(len(words), at.stop + context)
    text = _printable(join_words(words[begin:end]))
    return f"{'…' if begin else ''}{text}{'…' if end < len(words) else ''}"


def _clock(seconds: float) -> str:
    tenths = int(seconds * 10)
    return f"{tenths // 36_000:02}:{tenths // 600 % 60:02}:{tenths // 10 % 60:02}.{tenths % 10}"


def _printable(text: str) -> str:
    """Replace control characters: a transcript may be written by anyone."""
    return "".join(letter if letter.isprintable() else " " for letter in text)

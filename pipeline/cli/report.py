"""Print progress bars while media are processed, and tables of results."""

from __future__ import annotations

import contextlib
import functools
import json
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import groupby
from operator import itemgetter
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from pipeline.cli.printable import counted, printable
from pipeline.errors import UnsupportedMedia
from pipeline.session.collecting import UNSUPPORTED
from pipeline.session.media import FACES, PHOTO, RECORDING
from pipeline.session.run_messages import TranscriptProgress

if TYPE_CHECKING:
    from pipeline.session.batch import MediaFile, Outcome
    from pipeline.session.collecting import Skipped
    from pipeline.session.kept_weights import Copy
    from pipeline.session.stager import StagedModel

_COLOURS = {"DONE": "green", "QUARANTINED": "yellow"}
_WIDE = 110  # columns; narrower terminals omit the times
MOST_ROWS = 50  # a larger batch gets rows for its failures only
_MOST_TEXT_BYTES = 1_000
_MOST_NAMES = 8  # of skipped files, for each reason
# Files of a transcript that not every one has, by their kind; and files of faces.
_EXTRAS = {"speakers": "speakers", "tags": "sounds", "denoised": "denoised recordings"}
_OF_FACES = {
    "faces": "faces",
    "preview": "previews",
    "redacted": "copies with hidden faces",
    "embeddings": "vectors",
    "embedded": "lists of vectors",
}
_ON_BATCH = "Run"  # begins the names of states that run a task in a job
_TIMED_TASKS = ("Inspect", "StageWeights", "RemoveBackground", "RefineEdges")


def console() -> Console:
    """Return a console; in a file or pipe it is 200 columns wide, so that paths stay whole."""
    plain = Console()
    return plain if plain.is_terminal else Console(width=200)


def printer(screen: Console) -> Callable[[str], None]:
    """Return a function that prints a text as it is: not wrapped, and without markup or colours."""
    return functools.partial(screen.print, markup=False, highlight=False, soft_wrap=True)


@contextlib.contextmanager
def progress(
    screen: Console, files: Sequence[MediaFile]
) -> Iterator[Callable[[Outcome | TranscriptProgress], None]]:
    """Show a bar for each product; yield a callback that advances them."""
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.fields[told]}"),
        TimeElapsedColumn(),
    )
    totals = Counter(file.kind for file in files)
    with Progress(*columns, console=screen, transient=True, disable=not screen.is_terminal) as bars:
        advances = {
            PHOTO: _advancing_photos(bars, "Cutting out", totals[PHOTO]),
            FACES: _advancing_photos(bars, "Finding faces", totals[FACES]),
            RECORDING: _advancing_recordings(bars, totals[RECORDING]),
        }

        def advance(told: Outcome | TranscriptProgress) -> None:
            kind = RECORDING if isinstance(told, TranscriptProgress) else told.file.kind
            if kind:
                advances[kind](told)

        yield advance


def _advancing_photos(
    bars: Progress, title: str, total: int
) -> Callable[[Outcome | TranscriptProgress], None]:
    bar = bars.add_task(title, total=total, told=f"0/{total}", visible=total > 0)

    def advance(_: Outcome | TranscriptProgress) -> None:
        bars.advance(bar)
        bars.update(bar, told=f"{bars.tasks[bar].completed:.0f}/{total}")

    return advance


def _advancing_recordings(
    bars: Progress, total: int
) -> Callable[[Outcome | TranscriptProgress], None]:
    """Show minutes that tasks listen to; until a recording has been read, its length is unknown."""
    read: dict[str, TranscriptProgress] = {}
    ended = 0
    bar = bars.add_task("Transcribing", total=None, told="", visible=total > 0)

    def advance(told: Outcome | TranscriptProgress) -> None:
        nonlocal ended
        if isinstance(told, TranscriptProgress):
            read[told.key] = told
        else:
            ended += 1
        done_s = sum(each.done_s for each in read.values())
        total_s = sum(each.total_s for each in read.values())
        known = len(read) == total or ended == total
        minutes = f"{done_s / 60:,.1f}/{total_s / 60:,.1f}{'' if known else '+'} min"
        files = f", {ended}/{total} files" if total > 1 else ""
        bars.update(bar, completed=done_s, total=total_s or None, told=minutes + files)

    return advance


def print_skipped(say: Callable[[str], None], skipped: Sequence[Skipped]) -> None:
    """Print a line for each reason to skip files: how many, the reason, their names."""
    reasons: defaultdict[str, list[Path]] = defaultdict(list)
    for each in skipped:
        reasons[each.why].append(each.path)
    for why, paths in reasons.items():
        names = ", ".join(printable(_shown(path)) for path in paths[:_MOST_NAMES])
        more = f" and {len(paths) - _MOST_NAMES:,} more" if len(paths) > _MOST_NAMES else ""
        say(f"SKIPPED {len(paths):,} ({why}): {names}{more}")


def print_outcomes(screen: Console, outcomes: Sequence[Outcome]) -> None:
    """Print a line per file that is neither photo nor recording, then tables with a row for each.

    Of more than 50 files, only failures get a row. Counts follow if there is a failure or a file
    without a row.
    """
    many = len(outcomes) > MOST_ROWS
    rows = [outcome for outcome in outcomes if not (many and outcome.done)]
    photos, faces, recordings, lost = (
        [row for row in rows if row.file.kind is kind] for kind in (PHOTO, FACES, RECORDING, None)
    )
    for outcome in lost:
        printer(screen)(printable(f"{outcome.status} {outcome.reason}"))
    if any(outcome.status == UNSUPPORTED for outcome in lost):
        printer(screen)(UnsupportedMedia.hint)
    if photos:
        screen.print(_photos(photos, timed=screen.width >= _WIDE))
    if faces:
        screen.print(_faces(faces))
    if recordings:
        screen.print(_recordings(recordings))
    if many or not all(outcome.done for outcome in outcomes):
        counts = Counter(outcome.status for outcome in outcomes)
        told = ", ".join(f"{count:,} {status}" for status, count in counts.most_common())
        nouns = {outcome.file.kind.noun if outcome.file.kind else "file" for outcome in outcomes}
        noun = nouns.pop() if len(nouns) == 1 else "file"
        files = counted(len(outcomes), noun)
        screen.print(f"Of {files}: {told}", highlight=False)


def _photos(outcomes: Sequence[Outcome], *, timed: bool) -> Table:
    """Return a table with status, model, milliseconds per task, and result or reason."""
    table = Table("photo", "status", "model")
    tasks = _TIMED_TASKS if timed else ()
    for task in tasks:
        table.add_column(f"{task}\nms", justify="right")
    table.add_column("result", overflow="fold")
    for outcome in outcomes:
        times = [_milliseconds(_spent(outcome, task)) for task in tasks]
        table.add_row(*_named(outcome), *times, _result(outcome))
    return table


def _faces(outcomes: Sequence[Outcome]) -> Table:
    """Return a table with status, model, how many faces were found, and result or reason.

    It has a column for the number of vectors if they were asked for of any photo.
    """
    table = Table("photo", "status", "model", "found")
    embedded = any(_record(outcome).get("embedded") is not None for outcome in outcomes)
    if embedded:
        table.add_column("vectors", justify="right")
    table.add_column("result", overflow="fold")
    for outcome in outcomes:
        record = _record(outcome)
        found = _found(record["count"]) if record else ""
        vectors = record.get("embedded")
        made = [] if not embedded else ["" if vectors is None else f"{vectors}"]
        table.add_row(*_named(outcome), found, *made, _result(outcome))
    return table


def _found(faces: int) -> str:
    return counted(faces, "face") if faces else "no faces"


def _recordings(outcomes: Sequence[Outcome]) -> Table:
    """Return a table with status, model, what was said and how fast, and result or reason.

    It has a column for the number of speakers if they were told apart in any recording.
    """
    table = Table("recording", "status", "model", "language")
    diarized = any(_record(outcome).get("speakers") is not None for outcome in outcomes)
    for name in ("duration", *(["speakers"] if diarized else []), "words", "speed"):
        table.add_column(name, justify="right")
    table.add_column("result", overflow="fold")
    for outcome in outcomes:
        language, duration, *amounts = _said(outcome)
        speakers = _record(outcome).get("speakers")
        count = [] if not diarized else ["" if speakers is None else f"{len(speakers)}"]
        told = (language, duration, *count, *amounts)
        table.add_row(*_named(outcome), *told, _with_remarks(outcome))
    return table


def _named(outcome: Outcome) -> tuple[str, str, str]:
    colour = _COLOURS.get(outcome.status, "red")
    name = escape(printable(outcome.file.name))
    on_batch = any(task.startswith(_ON_BATCH) for task in outcome.task_ms)
    where = " (AWS Batch)" if outcome.model and on_batch else ""
    return name, f"[{colour}]{outcome.status}[/]", f"{outcome.model}{where}"


def _spent(outcome: Outcome, task: str) -> float | None:
    """Return the milliseconds of a task, in a function and in jobs of AWS Batch."""
    spent = [outcome.task_ms[each] for each in (task, _ON_BATCH + task) if each in outcome.task_ms]
    return sum(spent) if spent else None


def _result(outcome: Outcome) -> str:
    return escape(printable(_shown(outcome.shown) if outcome.shown else outcome.reason))


def _with_remarks(outcome: Outcome) -> str:
    """Return the result, and below it what was doubtful."""
    remarks = _record(outcome).get("remarks", ())
    return "\n".join((_result(outcome), *(escape(printable(each)) for each in remarks)))


def print_short_text(screen: Console, outcomes: Sequence[Outcome]) -> None:
    """Print what was said in the only recording of a run, if it is short enough to look at.

    If speakers were told apart, each line begins with who says it.
    """
    rows = [row for row in outcomes if row.shown and row.file.kind is RECORDING]
    if len(rows) != 1 or not (text := rows[0].shown) or text.stat().st_size > _MOST_TEXT_BYTES:
        return
    diarized = bool(_record(rows[0]).get("speakers"))
    for line in _spoken(text.with_suffix(".json")) if diarized else text.read_text().split("\n"):
        if line:
            printer(screen)(f"  {printable(line)}")


def print_homes(screen: Console, outcomes: Sequence[Outcome], output: Path) -> None:
    """Print where the files of faces and transcripts are; nothing if there are none."""
    photos, recordings = (
        [_record(row) for row in outcomes if row.done and row.file.kind is kind]
        for kind in (FACES, RECORDING)
    )
    told = []
    if photos:
        told.append([f"{noun} as {ends}" for noun, ends in _ends(photos, _OF_FACES, "_faces")])
    if recordings:
        more = [f"{noun} as {ends}" for noun, ends in _ends(recordings, _EXTRAS, "_")]
        told.append(["Transcripts as .txt, .srt, .vtt and .json", *more])
    for *first, last in told:
        line = f"{', '.join(first)} and {last}" if first else last
        printer(screen)(f"{line[0].upper()}{line[1:]} are in {output}/")


def _ends(
    records: Sequence[dict[str, Any]], nouns: Mapping[str, str], start: str
) -> Iterator[tuple[str, str]]:
    """Yield what files are, and how their names end from `start` on, such as `_denoised.flac`."""
    files = [(each["kind"], each["uri"]) for record in records for each in record["files"]]
    for kind, noun in nouns.items():
        ends = {f"{start}{uri.rpartition(start)[2]}" for each, uri in files if each == kind}
        if ends:
            yield noun, " or ".join(sorted(ends))


def _spoken(transcript: Path) -> Iterator[str]:
    """Yield what each speaker says until another one does, after the speaker's name."""
    segments = json.loads(transcript.read_bytes())["segments"]
    for speaker, spoken in groupby(segments, key=itemgetter("speaker")):
        yield f"{speaker or '?'}: {' '.join(each['text'].strip() for each in spoken)}"


def _record(outcome: Outcome) -> dict[str, Any]:
    return json.loads(outcome.record.read_bytes()) if outcome.record else {}


def _said(outcome: Outcome) -> tuple[str, str, str, str]:
    """Return languages, duration, number of words and speed, from the output record."""
    record = _record(outcome)
    if not record:
        return "", "", "", ""
    duration_s = record["recording"]["duration_s"]
    speed = f"{duration_s / outcome.seconds:,.1f}×" if duration_s and outcome.seconds else ""
    return ", ".join(record["languages"]), _clock(duration_s), f"{record['words']:,}", speed


def _clock(seconds: float) -> str:
    """Return 0:07, 12:30 or 1:02:03."""
    minutes, second = divmod(round(seconds), 60)
    hours, minute = divmod(minutes, 60)
    return f"{hours}:{minute:02}:{second:02}" if hours else f"{minute}:{second:02}"


def print_staged(screen: Console, staged: Sequence[StagedModel]) -> None:
    """Print a row per model: status, size in MB, and the sources or the reason it failed."""
    table = Table("model", "status")
    table.add_column("MB", justify="right")
    table.add_column("from", overflow="fold")
    for model in staged:
        status = "[red]FAILED[/]" if model.reason else "[green]STAGED[/]"
        size = "" if model.reason else f"{model.bytes / 1e6:,.1f}"
        origin = model.reason or "\n".join(model.sources)
        table.add_row(escape(model.model), status, size, escape(origin))
    screen.print(table)


def print_copies(screen: Console, copies: Sequence[Copy]) -> None:
    """Print a row per copy of a file, or per file without a copy."""
    from pipeline.session.kept_weights import ABSENT, OK

    table = Table("model", "file")
    table.add_column("verdict", overflow="fold")
    table.add_column("copy", overflow="fold")
    for copy in copies:
        colour = {OK: "green", ABSENT: "default"}.get(copy.verdict, "red")
        verdict = f"[{colour}]{escape(copy.verdict)}[/]"
        table.add_row(escape(copy.model), escape(copy.file), verdict, escape(copy.place))
    screen.print(table)


def _milliseconds(value: float | None) -> str:
    return "" if value is None else f"{value:,.0f}"


def _shown(path: Path) -> str:
    return str(path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path)

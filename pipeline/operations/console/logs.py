"""Read what containers logged of one execution, from the log groups of the functions it called."""

from __future__ import annotations

import functools
import heapq
import json
import time
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import Any, Final, NamedTuple

from pipeline.operations.console.machines import at_once
from pipeline.operations.console.reading import ReadExecution, find_execution, read_states
from pipeline.operations.console.shortening import shorten
from pipeline.operations.console.states import StateVisit
from pipeline.operations.site import Site

_LONGEST_S: Final = 12.0  # of searching one log group
_AFTER: Final = timedelta(minutes=2)  # a function may log a moment after its execution ended
_MOST_LINE: Final = 8_192  # characters that are shown of a line
_MOST_CHILDREN: Final = 8  # executions of other machines whose functions are searched, too
# Functions log the ARN of the execution, or what its name is: the trace id of an upload.
_PATTERN: Final = '{{ ($.execution = "*:{name}") || ($.trace_id = "{name}") }}'


class Since(NamedTuple):
    """Where lines go on: from this time (ms since 1970), without the first `skip` of that time."""

    at_ms: int
    skip: int


class Line(NamedTuple):
    """A line of a log: when it was written, the function or container of its group, its JSON."""

    at_ms: int
    source: str
    said: Mapping[str, Any]

    @property
    def at(self) -> datetime:
        return datetime.fromtimestamp(self.at_ms / 1000, UTC)


@dataclass(frozen=True)
class Lines:
    """Lines in the order of their times. `next` is None at the end.

    `complete` is false if a log group could not be searched to its end in time.
    """

    lines: Sequence[Line]
    next: Since | None
    complete: bool


class _Found(NamedTuple):
    lines: Sequence[Line]
    complete: bool


def read_logs(
    site: Site,
    execution: ReadExecution,
    since: Since | None,
    *,
    limit: int,
    containers: Collection[str],
) -> Lines:
    """Return what was logged of an execution, and of the executions that it waited for.

    `containers` are those whose models may run in jobs of AWS Batch.
    """
    begin = since or Since(_ms(execution.started), 0)
    end = _ms(execution.ended + _AFTER) if execution.ended else None
    search = functools.partial(
        _search, site, _PATTERN.format(name=execution.name), begin, end, most=limit
    )
    found = at_once(search, sorted(_groups(site, execution, containers)))
    merged = heapq.merge(*(each.lines for each in found), key=lambda line: line.at_ms)
    lines = list(islice(merged, begin.skip, begin.skip + limit + 1))
    more = _after(begin, lines[:limit]) if len(lines) > limit else None
    return Lines(lines[:limit], more, all(each.complete for each in found))


def _groups(site: Site, execution: ReadExecution, containers: Collection[str]) -> set[str]:
    """Return the log groups of what an execution called, itself or in a child."""
    visits = read_states(site, execution).visits
    children = [each.child for each in visits if each.child][:_MOST_CHILDREN]
    found = filter(None, at_once(functools.partial(_child, site), children))
    inside = [visit for child in found for visit in read_states(site, child).visits]
    return {group for each in (*visits, *inside) for group in _called(site, each, containers)}


def _child(site: Site, arn: str) -> ReadExecution | None:
    machine = site.names.machine_of(arn)
    return find_execution(site, machine, arn.rpartition(":")[2]) if machine else None


def _called(site: Site, visit: StateVisit, containers: Collection[str]) -> Iterator[str]:
    """Yield the log group of the function that a state called, or of its container's jobs."""
    if visit.function:
        function = visit.function.removeprefix(f"{site.names.arn('lambda')}:function:")
        yield site.names.log_group(function.partition(":")[0])
    for container in containers:
        if visit.job and visit.job.startswith(site.names.job_definition(container, "")):
            yield site.names.job_log_group(container)


def _search(  # noqa: PLR0913 - what FilterLogEvents takes
    site: Site, pattern: str, begin: Since, end: int | None, group: str, *, most: int
) -> _Found:
    """Search one log group; nothing was logged if there is none."""
    logs, ends_at = site.client("logs"), time.monotonic() + _LONGEST_S
    asked: dict[str, Any] = {
        "logGroupName": group,
        "filterPattern": pattern,
        "startTime": begin.at_ms,
        **({"endTime": end} if end else {}),
    }
    lines: list[Line] = []
    while True:
        try:
            page = logs.filter_log_events(**asked)
        except logs.exceptions.ResourceNotFoundException:
            return _Found((), complete=True)
        lines += (
            Line(each["timestamp"], group.rpartition("/")[2], _object(each["message"]))
            for each in page["events"]
        )
        if "nextToken" not in page or len(lines) > begin.skip + most:
            return _Found(sorted(lines, key=lambda line: line.at_ms), complete=True)
        if time.monotonic() > ends_at:
            return _Found(sorted(lines, key=lambda line: line.at_ms), complete=False)
        asked["nextToken"] = page["nextToken"]


def _object(text: str) -> Mapping[str, Any]:
    shown = shorten(text, _MOST_LINE).value
    return shown if isinstance(shown, dict) else {"message": json.dumps(shown)}


def _after(begin: Since, lines: Sequence[Line]) -> Since:
    """Return the place after the last of these lines: several may have one time."""
    last = lines[-1].at_ms
    same = sum(line.at_ms == last for line in lines)
    return Since(last, same + (begin.skip if last == begin.at_ms else 0))


def _ms(moment: datetime) -> int:
    return round(moment.timestamp() * 1000)

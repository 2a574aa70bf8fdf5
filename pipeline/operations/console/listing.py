"""List executions of one machine or of all, latest first."""

from __future__ import annotations

import functools
import heapq
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from typing import Any, Final, NamedTuple

from pipeline.operations.console.machines import at_once
from pipeline.operations.console.recent import recent
from pipeline.operations.executions import read_execution
from pipeline.operations.site import Site

_PAGE: Final = 100
_KNOWN: Final = 2_000  # ended executions that a process remembers


class After(NamedTuple):
    """The place after which a list goes on: when an execution started (in ms), and its name."""

    started_ms: int
    machine: str
    name: str


@dataclass(frozen=True)
class ListedExecution:
    """An execution as lists show it. `error` is None unless it failed, `key` if it names none."""

    machine: str
    name: str
    status: str
    started: datetime
    ended: datetime | None
    error: str | None
    key: str | None

    @property
    def place(self) -> After:
        return After(_ms(self.started), self.machine, self.name)


class Listing(NamedTuple):
    """Some executions, and whether there are more."""

    executions: Sequence[ListedExecution]
    more: bool


@dataclass(frozen=True)
class Wanted:
    """A filter of executions: `status` as Step Functions has it; None does not restrict them."""

    status: str | None = None
    since: datetime | None = None
    after: After | None = None


def list_executions(site: Site, machines: Sequence[str], wanted: Wanted, *, limit: int) -> Listing:
    """Return the executions of these machines that are wanted, latest first, at most `limit`.

    A machine that the deployment does not have yet has none.
    """
    firsts = at_once(lambda name: _Rows(site, name, wanted).first(), machines)
    rows = heapq.merge(*firsts, key=_order)
    found = list(islice(rows, limit + 1))
    read = functools.partial(_read, site)
    return Listing(at_once(read, found[:limit]), len(found) > limit)


class _Row(NamedTuple):
    machine: str
    told: Mapping[str, Any]

    @property
    def place(self) -> After:
        return After(_ms(self.told["startDate"]), self.machine, self.told["name"])


class _Rows:
    """The executions of one machine that are wanted, page by page."""

    def __init__(self, site: Site, machine: str, wanted: Wanted) -> None:
        self._site = site
        self._states = site.client("stepfunctions")
        self._machine = machine
        self._wanted = wanted
        self._asked: dict[str, Any] = {
            "stateMachineArn": site.machine_arn(machine),
            "maxResults": _PAGE,
        }
        if wanted.status:
            self._asked["statusFilter"] = wanted.status

    def first(self) -> Iterator[_Row]:
        """Read the first page now, so that those of all machines are read at once."""
        asked = ("list", self._machine, self._wanted.status)
        return self._from(recent(self._site, *asked, answer=lambda: self._page({})))

    def _page(self, more: Mapping[str, str]) -> Mapping[str, Any]:
        try:
            page: Mapping[str, Any] = self._states.list_executions(**self._asked, **more)
        except self._states.exceptions.StateMachineDoesNotExist:
            return {"executions": []}
        return page

    def _from(self, page: Mapping[str, Any]) -> Iterator[_Row]:
        wanted = self._wanted
        while True:
            rows = (_Row(self._machine, told) for told in page["executions"])
            for row in sorted(rows, key=_order):
                if wanted.since and row.told["startDate"] < wanted.since:
                    return
                if wanted.after is None or _order(row) > _place_order(wanted.after):
                    yield row
            if "nextToken" not in page:
                return
            page = self._page({"nextToken": page["nextToken"]})


def _order(row: _Row) -> tuple[int, str, str]:
    return _place_order(row.place)


def _place_order(place: After) -> tuple[int, str, str]:
    return (-place.started_ms, place.machine, place.name)


def _read(site: Site, row: _Row) -> ListedExecution:
    told = row.told
    error, key = _details(site, told["executionArn"], told.get("stopDate"))
    return ListedExecution(
        machine=row.machine,
        name=told["name"],
        status=told["status"],
        started=told["startDate"],
        ended=told.get("stopDate"),
        error=error,
        key=key,
    )


def _details(site: Site, arn: str, ended: datetime | None) -> tuple[str | None, str | None]:
    """Return an execution's error and the key of its object. One that has ended is read once."""
    return _ended(site, arn, ended) if ended else _asked(site, arn)


def _asked(site: Site, arn: str) -> tuple[str | None, str | None]:
    execution = read_execution(site.client("stepfunctions"), arn)
    return execution.error, execution.key or None


@functools.lru_cache(maxsize=_KNOWN)
def _ended(site: Site, arn: str, _ended: datetime) -> tuple[str | None, str | None]:
    return _asked(site, arn)


def _ms(moment: datetime) -> int:
    return round(moment.timestamp() * 1000)

"""Read from logs what functions and jobs did: the local cloud has no metrics.

A call ends with a line `done`, which has what the call took. Each look reads the lines since the
one before.
"""

from __future__ import annotations

import functools
import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final, NamedTuple

from pipeline.declared.blueprint import Blueprint
from pipeline.operations.console.logs import Since
from pipeline.operations.console.machines import at_once
from pipeline.operations.console.reading import find_execution, read_states
from pipeline.operations.live.calls import Calls
from pipeline.operations.live.flow import Flow, Row
from pipeline.operations.live.snapshot import HOUR, ContainerCalls, Spent
from pipeline.operations.site import Site

_DONE: Final = '{ ($.message = "done") }'
_MOST_FOLLOWED: Final = 16  # running executions whose states are read at one look
_HISTORY_S: Final = 2.0


class _Call(NamedTuple):
    """A call that was logged: when, whose, for which product, and what it took."""

    at: datetime
    container: str
    product: str | None
    cold: bool
    spent: Spent


@dataclass
class LoggedCalls:
    """Adds up the lines of the last hour, by container and by product."""

    site: Site
    blueprint: Blueprint
    _calls: list[_Call] = field(default_factory=list)
    _read_until: dict[str, Since] = field(default_factory=dict)  # by log group

    def look(self, now: datetime, flow: Flow) -> Calls:
        since = now - HOUR
        new = at_once(functools.partial(self._new, since), self._groups())
        self._calls = [call for call in self._calls if call.at >= since]
        self._calls += [call for calls in new for call in calls]
        calls = Counter(call.container for call in self._calls)
        cold = Counter(call.container for call in self._calls if call.cold)
        in_flight = Counter(
            name
            for names in at_once(self._in_flight, flow.running[:_MOST_FOLLOWED])
            for name in names
        )
        spent: dict[str, Spent] = {}
        for call in self._calls:
            if call.product:
                spent[call.product] = spent.get(call.product, Spent()) + call.spent
        found = sorted(calls.keys() | in_flight.keys())
        return Calls(
            [ContainerCalls(name, in_flight[name], calls[name], cold[name]) for name in found],
            spent,
        )

    def _groups(self) -> list[str]:
        names = self.site.names
        functions = {names.log_group(each.name(names)) for each in self.blueprint.functions}
        jobs = {names.job_log_group(each.name) for each in self.blueprint.containers if each.batch}
        return sorted(functions | jobs)

    def _new(self, since: datetime, group: str) -> list[_Call]:
        """Return the calls that a log group has told of since the last look."""
        logs = self.site.client("logs")
        begin = self._read_until.get(group, Since(_ms(since), 0))
        asked: dict[str, Any] = {
            "logGroupName": group, "filterPattern": _DONE, "startTime": begin.at_ms,
        }  # fmt: skip
        events: list[Mapping[str, Any]] = []
        while True:
            try:
                page = logs.filter_log_events(**asked)
            except logs.exceptions.ResourceNotFoundException:
                return []
            events += page["events"]
            if "nextToken" not in page:
                break
            asked["nextToken"] = page["nextToken"]
        events.sort(key=lambda event: int(event["timestamp"]))
        if events:
            last = int(events[-1]["timestamp"])
            same = sum(int(each["timestamp"]) == last for each in events)
            self._read_until[group] = Since(last, same)
        return [self._call(each) for each in events[begin.skip :]]

    def _call(self, event: Mapping[str, Any]) -> _Call:
        said = json.loads(event["message"])
        metrics = said.get("metrics", {})
        product = self.site.product_of(str(said.get("execution", "")))
        return _Call(
            at=datetime.fromtimestamp(event["timestamp"] / 1000, UTC),
            container=str(said.get("container", "")),
            product=product.name if product else None,
            cold=bool(metrics.get("cold_start")),
            spent=Spent.of(metrics),
        )

    def _in_flight(self, row: Row) -> list[str]:
        """Return the containers that a running execution waits for, once for each call."""
        machine = self.site.names.machine_of(row["executionArn"]) or ""
        found = find_execution(self.site, machine, row["name"])
        if found is None:
            return []
        visits = read_states(self.site, found, longest_s=_HISTORY_S).visits
        called = (each.function for each in visits if each.status == "running" and each.function)
        return list(filter(None, map(self._containers, called)))

    def _containers(self, function: str) -> str | None:
        name = function.partition(":function:")[2] or function
        return self._by_function.get(name.partition(":")[0])

    @functools.cached_property
    def _by_function(self) -> Mapping[str, str]:
        names = self.site.names
        return {each.name(names): each.manifest.name for each in self.blueprint.functions}


def _ms(moment: datetime) -> int:
    return round(moment.timestamp() * 1000)

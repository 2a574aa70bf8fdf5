"""Read from CloudWatch's metrics what a stage's functions did.

CloudWatch charges $0.01 for 1,000 metrics that are asked for, and knows a minute late: so it is
asked once a minute.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final

from pipeline.declared.blueprint import Blueprint
from pipeline.operations.live.calls import Calls
from pipeline.operations.live.flow import Flow
from pipeline.operations.live.snapshot import HOUR, ContainerCalls, Spent
from pipeline.operations.site import Site

EVERY: Final = timedelta(seconds=60)
_TASKS: Final = "Matteline"  # the namespace of what tasks publish, of all stages
_LISTENER: Final = "audio-reader"  # the container that measures recordings
_MOST_QUERIES: Final = 500  # of one request
_MINUTE_S: Final = 60
_LATE: Final = timedelta(minutes=3)
_MB_MS_PER_GB_S: Final = 1024 * 1000


@dataclass(frozen=True)
class _Query:
    """A metric by the minute. `about` is what its values are added to."""

    about: tuple[str, str]
    namespace: str
    metric: str
    dimension: tuple[str, str]
    statistic: str
    factor: float = 1.0


@dataclass
class MeteredCalls:
    """Adds up the metrics of the last hour, by container and, by their shares, by product."""

    site: Site
    blueprint: Blueprint
    _asked: datetime | None = None
    _sums: Mapping[tuple[str, str], float] = field(default_factory=dict)

    def look(self, now: datetime, flow: Flow) -> Calls:
        if self._asked is None or now - self._asked >= EVERY:
            self._sums, self._asked = self._read(now), now
        containers = [
            ContainerCalls(
                name,
                in_flight=round(self._sums.get((name, "in flight"), 0)),
                calls=round(self._sums.get((name, "calls"), 0)),
                cold=round(self._sums.get((name, "cold"), 0)),
            )
            for name in sorted(each.name for each in self.blueprint.containers)
        ]
        busy = [each for each in containers if each.calls or each.in_flight]
        return Calls(
            busy, {each.name: self._spent(each.machine, flow) for each in self.site.products}
        )

    def _spent(self, machine: str, flow: Flow) -> Spent:
        """Return what a product spent: of a shared container, by its share of all executions."""
        machines = {each.machine: flow.started.get(each.name, 0) for each in self.site.products}
        invoked = self.blueprint.invoked(machine)
        gb_s = 0.0
        for container in invoked:
            sharing = {
                other: started
                for other, started in machines.items()
                if container in self.blueprint.invoked(other)
            }
            everybody = sum(sharing.values())
            share = sharing[machine] / everybody if everybody else 0.0
            gb_s += share * self._sums.get((container, "gb_s"), 0.0)
        heard = self._sums.get((_LISTENER, "sound_s"), 0.0) if _LISTENER in invoked else 0.0
        return Spent(gb_s=gb_s, sound_s=heard)

    def _read(self, now: datetime) -> Mapping[tuple[str, str], float]:
        queries = list(self._queries())
        sums: dict[tuple[str, str], float] = defaultdict(float)
        for first in range(0, len(queries), _MOST_QUERIES):
            asked = queries[first : first + _MOST_QUERIES]
            for query, values in zip(asked, self._values(asked, now), strict=True):
                recent = [value for at, value in values if at >= now - _LATE]
                told = recent[:1] if query.statistic == "Maximum" else [each for _, each in values]
                sums[query.about] += query.factor * sum(told)
        return sums

    def _values(
        self, queries: Sequence[_Query], now: datetime
    ) -> list[list[tuple[datetime, float]]]:
        """Return the values of each metric with their times, the latest first."""
        found: list[list[tuple[datetime, float]]] = [[] for _ in queries]
        pages = (
            self.site.client("cloudwatch")
            .get_paginator("get_metric_data")
            .paginate(
                StartTime=now - HOUR,
                EndTime=now,
                ScanBy="TimestampDescending",
                MetricDataQueries=[_asked(f"q{place}", each) for place, each in enumerate(queries)],
            )
        )
        for page in pages:
            for told in page["MetricDataResults"]:
                values = zip(told["Timestamps"], told["Values"], strict=True)
                found[int(told["Id"][1:])] += values
        return found

    def _queries(self) -> Iterator[_Query]:
        names = self.site.names
        for each in self.blueprint.functions:
            of, container = ("FunctionName", each.name(names)), each.manifest.name
            factor = each.memory_mb / _MB_MS_PER_GB_S
            yield _Query((container, "gb_s"), "AWS/Lambda", "Duration", of, "Sum", factor)
            concurrent = "ConcurrentExecutions"
            yield _Query((container, "in flight"), "AWS/Lambda", concurrent, of, "Maximum")
        for manifest in self.blueprint.containers:
            of = ("service", manifest.name)
            yield _Query((manifest.name, "cold"), _TASKS, "cold_start", of, "Sum")
            yield _Query((manifest.name, "calls"), _TASKS, "cold_start", of, "SampleCount")
        of = ("service", _LISTENER)
        yield _Query((_LISTENER, "sound_s"), _TASKS, "duration_s", of, "Sum")


def _asked(ident: str, query: _Query) -> dict[str, Any]:
    name, value = query.dimension
    metric = {
        "Namespace": query.namespace,
        "MetricName": query.metric,
        "Dimensions": [{"Name": name, "Value": value}],
    }
    return {
        "Id": ident,
        "MetricStat": {"Metric": metric, "Period": _MINUTE_S, "Stat": query.statistic},
    }

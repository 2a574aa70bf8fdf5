"""Count the executions of products: running, ended, and how long they took."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final

from pipeline.declared.products import Product
from pipeline.operations.console.machines import at_once
from pipeline.operations.executions import find_execution
from pipeline.operations.live.snapshot import HOUR, MINUTE, ProductFlow
from pipeline.operations.site import Site
from pipeline.outcomes import failure_in, verdict_of

_PAGE: Final = 1_000  # the most that ListExecutions returns
_MOST_PAGES: Final = 3
_LONGEST: Final = timedelta(hours=3)  # of an execution whose end is counted
_MOST_READ: Final = 50  # failed executions whose errors are read at one look
_QUARANTINED: Final = "QUARANTINED"
Row = Mapping[str, Any]


@dataclass(frozen=True)
class Flow:
    """The flow of each product, and the errors of the last hour by name."""

    products: Sequence[ProductFlow]
    errors: Mapping[str, int]
    running: Sequence[Row]
    started: Mapping[str, int]  # executions of the last hour, by product


@dataclass
class Executions:
    """Looks at the executions of a deployment's products, again and again.

    A look takes two lists of each product. An execution that failed is read once. One that
    started more than three hours ago counts while it runs, and not when it ends.
    """

    site: Site
    _failures: dict[str, tuple[str, bool]] = field(default_factory=dict)

    def look(self, now: datetime) -> Flow:
        listed = at_once(lambda product: self._listed(product, now), self.site.products)
        failed = [row for each in listed for row in each.ended if row["status"] != "SUCCEEDED"]
        self._read(failed)
        errors = Counter(
            self._failures[row["executionArn"]][0]
            for row in failed
            if row["executionArn"] in self._failures
        )
        return Flow(
            [self._flow(each, now) for each in listed],
            dict(errors.most_common()),
            [row for each in listed for row in each.running],
            {each.product: each.started for each in listed},
        )

    def _listed(self, product: Product, now: datetime) -> _Listed:
        states, arn = self.site.client("stepfunctions"), self.site.machine_arn(product.machine)
        asked: dict[str, Any] = {"stateMachineArn": arn, "maxResults": _PAGE}
        rows: list[Row] = []
        try:
            running = states.list_executions(**asked, statusFilter="RUNNING")["executions"]
            for _ in range(_MOST_PAGES):
                page = states.list_executions(**asked)
                rows += page["executions"]
                asked["nextToken"] = page.get("nextToken")
                if not asked["nextToken"] or rows[-1]["startDate"] < now - _LONGEST:
                    break
        except states.exceptions.StateMachineDoesNotExist:  # not deployed yet
            return _Listed(product.name, [], [], 0, partial=False)
        ended = [row for row in rows if "stopDate" in row and row["stopDate"] >= now - HOUR]
        started = sum(row["startDate"] >= now - HOUR for row in rows)
        partial = bool(asked.get("nextToken")) and rows[-1]["startDate"] >= now - _LONGEST
        return _Listed(product.name, running, ended, started, partial=partial)

    def _read(self, failed: Sequence[Row]) -> None:
        """Read the errors of what has failed since the last look; forget those of long ago."""
        names = {row["executionArn"] for row in failed}
        self._failures = {arn: told for arn, told in self._failures.items() if arn in names}
        new = sorted(names - self._failures.keys())[:_MOST_READ]
        for execution in at_once(lambda arn: find_execution(self.site, arn), new):
            if execution:
                error = execution.error or execution.status
                verdict = verdict_of(execution.status, execution.error, execution.output)
                name = failure_in(error, execution.cause or "").name
                self._failures[execution.arn] = (name, verdict == _QUARANTINED)

    def _flow(self, listed: _Listed, now: datetime) -> ProductFlow:
        done = [row for row in listed.ended if row["status"] == "SUCCEEDED"]
        bad = [row for row in listed.ended if row["status"] != "SUCCEEDED"]
        quarantined = sum(self._failures.get(row["executionArn"], ("", False))[1] for row in bad)
        took = sorted((row["stopDate"] - row["startDate"]).total_seconds() for row in done)
        return ProductFlow(
            product=listed.product,
            running=len(listed.running),
            ended_in_minute=sum(row["stopDate"] >= now - MINUTE for row in listed.ended),
            done=len(done),
            quarantined=quarantined,
            failed=len(bad) - quarantined,
            p50_s=percentile(took, 0.5),
            p95_s=percentile(took, 0.95),
            partial=listed.partial,
        )


@dataclass(frozen=True)
class _Listed:
    product: str
    running: Sequence[Row]
    ended: Sequence[Row]
    started: int
    partial: bool


def percentile(values: Sequence[float], share: float) -> float | None:
    """Return the smallest of the sorted values that so large a share does not exceed."""
    return values[max(0, math.ceil(share * len(values)) - 1)] if values else None

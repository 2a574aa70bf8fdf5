"""Look at a deployment, again and again."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime

from pipeline.declared.blueprint import Blueprint
from pipeline.operations.live.calls import CallsSource
from pipeline.operations.live.flow import Executions
from pipeline.operations.live.logged import LoggedCalls
from pipeline.operations.live.metered import MeteredCalls
from pipeline.operations.live.snapshot import Snapshot, Spent
from pipeline.operations.live.waiting import look_at_backfills, look_at_queues
from pipeline.operations.site import Site


@dataclass
class DeploymentWatch:
    """Remembers between looks what need not be asked again."""

    site: Site
    blueprint: Blueprint
    _executions: Executions = field(init=False)
    _calls: CallsSource = field(init=False)

    def __post_init__(self) -> None:
        source = LoggedCalls if self.site.local else MeteredCalls
        self._executions, self._calls = (
            Executions(self.site),
            source(self.site, self.blueprint),
        )

    @property
    def every_s(self) -> float:
        """Return the seconds between two looks, which a stage's limits for lists allow."""
        return 2.0 if self.site.local else 15.0

    def look(self, now: datetime) -> Snapshot:
        flow = self._executions.look(now)
        calls = self._calls.look(now, flow)
        return Snapshot(
            deployment=self.site.names.prefix,
            at=now,
            products=[
                replace(each, spent=calls.spent.get(each.product, Spent()))
                for each in flow.products
            ],
            containers=calls.containers,
            errors=flow.errors,
            queues=look_at_queues(self.site),
            backfills=look_at_backfills(self.site),
        )

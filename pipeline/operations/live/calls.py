"""What a deployment's functions and jobs did within the last hour."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from pipeline.operations.live.flow import Flow
from pipeline.operations.live.snapshot import ContainerCalls, Spent


@dataclass(frozen=True)
class Calls:
    """The calls of each container that had any, and what each product spent, by their names."""

    containers: Sequence[ContainerCalls]
    spent: Mapping[str, Spent]


class CallsSource(Protocol):
    """Tells of calls: from logs on the local cloud, from CloudWatch's metrics on a stage."""

    def look(self, now: datetime, flow: Flow) -> Calls: ...

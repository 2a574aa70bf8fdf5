"""Read machines, executions, logs, quarantine and containers for the console's routes."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from containers.http_api.console.executions import describe_execution, describe_list
from containers.http_api.console.starting import Inputs
from containers.http_api.console.views import (
    REDRIVE,
    STATUSES,
    Container,
    ContainerModel,
    Containers,
    ExecutionDetails,
    Executions,
    InputExample,
    LastExecution,
    LiveVersion,
    LogLine,
    Logs,
    Machine,
    MachineDetails,
    Machines,
    Quarantine,
    QuarantinedJob,
    Release,
    Status,
)
from containers.http_api.current import Current
from containers.http_api.cursors import read_counts, read_skip, read_started, write_cursor
from containers.http_api.errors import NoSuchExecution, NoSuchMachine
from pipeline.declared.catalogue import Catalogue
from pipeline.declared.containers import ContainerManifest
from pipeline.operations.console.listing import After, Wanted, list_executions
from pipeline.operations.console.logs import Line, Since, read_logs
from pipeline.operations.console.machines import MachineState, find_definition, machine_states
from pipeline.operations.console.quarantined import (
    Quarantined,
    QuarantinePlace,
    list_quarantined,
)
from pipeline.operations.console.reach import Reach
from pipeline.operations.console.reading import ReadExecution, find_execution, read_states
from pipeline.operations.console.releases import ReleasedContainer, released_containers
from pipeline.operations.console.shortening import shorten
from pipeline.operations.executions import EXECUTION_NAME
from pipeline.operations.site import Site

_STATUSES: Final[Mapping[Status, str]] = {
    shown: told for told, shown in STATUSES.items() if told != REDRIVE
}
_MOST_OPTIONS: Final = 16_384  # characters of the options of one of a hundred jobs


@dataclass(frozen=True)
class ReadingDesk:
    """What the routes that change nothing do.

    `schedules` say how often machines start by themselves; `containers` are those whose manifests
    this image has.
    """

    current: Current
    reach: Reach
    inputs: Inputs
    catalogue: Catalogue
    schedules: Mapping[str, str]
    containers: Sequence[ContainerManifest]

    @property
    def site(self) -> Site:
        return self.current.site

    def machines(self) -> Machines:
        found = machine_states(self.site, self.reach)
        return Machines(items=tuple(map(self._machine, found)))

    def machine(self, name: str) -> MachineDetails:
        definition = find_definition(self.site, self.known(name))
        if definition is None:
            raise NoSuchMachine(f"the deployment has no state machine {name!r:.100}")
        return MachineDetails(
            name=name,
            comment=definition.comment,
            definition=definition.value,
            input_schema=self.inputs.schema(name),
            examples=tuple(
                InputExample(title=each.title, input=each.input)
                for each in self.inputs.examples(self.site, name)
            ),
        )

    def executions(
        self,
        machine: str | None,
        status: Status | None,
        since: datetime | None,
        cursor: str | None,
        limit: int,
    ) -> Executions:
        machines = [self.known(machine)] if machine else list(self.reach)
        after = After(*read_started(cursor)) if cursor else None
        wanted = Wanted(_STATUSES[status] if status else None, since, after)
        return describe_list(self.site, list_executions(self.site, machines, wanted, limit=limit))

    def execution(self, machine: str, name: str, cursor: str | None) -> ExecutionDetails:
        found = self.find(machine, name)
        skip, _ = read_counts(cursor) if cursor else (0, 0)
        history = read_states(self.site, found)
        return describe_execution(self.site, self.reach, found, history, skip=skip)

    def logs(self, machine: str, name: str, cursor: str | None, limit: int) -> Logs:
        found = self.find(machine, name)
        since = Since(*read_counts(cursor)) if cursor else None
        read = read_logs(
            self.site,
            found,
            since,
            limit=limit,
            containers={row.container for row in self.catalogue.rows},
        )
        return Logs(
            lines=tuple(map(_log_line, read.lines)),
            complete=read.complete,
            cursor=write_cursor(read.next) if read.next else None,
        )

    def quarantine(self, cursor: str | None, limit: int) -> Quarantine:
        place = QuarantinePlace(*read_skip(cursor)) if cursor else None
        page = list_quarantined(self.site, place, limit=limit)
        return Quarantine(
            items=tuple(map(_quarantined, page.jobs)),
            cursor=write_cursor(page.next) if page.next else None,
        )

    def list_containers(self) -> Containers:
        released = released_containers(self.site)
        declared = {each.name: each for each in self.containers}
        names = {*declared, *released, *(row.container for row in self.catalogue.rows)}
        return Containers(
            items=tuple(
                self._container(name, declared.get(name), released.get(name))
                for name in sorted(names)
            )
        )

    def known(self, machine: str) -> str:
        """Return the name of a machine. Raises NoSuchMachine."""
        if machine not in self.reach:
            raise NoSuchMachine(f"there is no state machine {machine!r:.100}")
        return machine

    def find(self, machine: str, name: str) -> ReadExecution:
        """Return an execution. Raises NoSuchMachine or NoSuchExecution."""
        known = self.known(machine)
        found = find_execution(self.site, known, name) if EXECUTION_NAME.fullmatch(name) else None
        if found is None:
            raise NoSuchExecution(f"{machine} has no execution {name!r:.100}")
        self.current.trace(name)
        return found

    def _machine(self, found: MachineState) -> Machine:
        product = next((each for each in self.site.products if each.machine == found.name), None)
        last = None
        if found.last_status and found.last_at:
            last = LastExecution(status=STATUSES[found.last_status], at=found.last_at)
        return Machine(
            name=found.name,
            comment=found.comment,
            product=product.name if product else None,
            scheduled=self.schedules.get(found.name),
            startable=self.inputs.takes(found.name),
            running=found.running,
            last=last,
        )

    def _container(
        self, name: str, manifest: ContainerManifest | None, released: ReleasedContainer | None
    ) -> Container:
        live = released.live if released else None
        last = released.last if released else None
        shown = LiveVersion(version=live.version, digest=live.digest, at=live.at) if live else None
        version = live.version if live else manifest.version if manifest else None
        batch = bool(manifest and manifest.batch)
        names = self.site.names
        return Container(
            name=name,
            version=version,
            live=shown,
            last_release=Release(
                name=last.execution.rpartition(":")[2],
                status=last.status,
                error=last.error,
                at=last.at,
            )
            if last
            else None,
            models=tuple(
                ContainerModel(
                    name=row.name,
                    compute=row.compute,
                    memory_mb=row.memory_mb,
                    job=names.job_definition(name, row.name)
                    if row.compute == "batch" or (batch and not row.hosted)
                    else None,
                )
                for row in self.catalogue.rows
                if row.container == name
            ),
        )


def _log_line(line: Line) -> LogLine:
    said = dict(line.said)
    level, message, error = (said.pop(name, None) for name in ("level", "message", "error"))
    container = said.pop("container", None) or said.pop("service", None) or line.source
    return LogLine(
        at=line.at,
        container=str(container),
        level=str(level or "INFO"),
        message=str(message or ""),
        error=None if error is None else str(error),
        fields=said,
    )


def _quarantined(found: Quarantined) -> QuarantinedJob:
    row, reason = found.row, found.reason
    options = shorten(json.dumps(found.options), _MOST_OPTIONS).value
    return QuarantinedJob(
        id=row.job_id,
        error=row.error,
        message=str(reason.get("message", "")),
        hint=str(reason.get("hint", "")),
        key=found.key,
        product=row.product,
        at=row.updated_at,
        options=options if isinstance(options, dict) else {"shortened": options},
    )

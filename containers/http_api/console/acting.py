"""Start, stop, redrive and replay executions for the console's routes."""

from __future__ import annotations

import json
import secrets
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from containers.http_api.console.bodies import ConsoleReplay, NewExecution, QuarantineRelease
from containers.http_api.console.desk import ReadingDesk
from containers.http_api.console.executions import execution_id
from containers.http_api.console.views import ExecutionId
from containers.http_api.errors import (
    ExecutionEnded,
    ExecutionExists,
    InvalidRequest,
    NotInQuarantine,
    NotRedrivable,
    NotReplayable,
    NotStoppable,
    WrongFields,
)
from containers.http_api.options import check_options
from pipeline.operations.console.reading import ReadExecution
from pipeline.operations.executions import find_execution, new_name, stop
from pipeline.operations.jobs_table import DONE, QUARANTINED, JobRow, JobsTable
from pipeline.operations.lookup import Job, job_of
from pipeline.outcomes import JobStopped

if TYPE_CHECKING:
    from pipeline.operations.replaying import Changes

_WHY: Final = "console"  # what the names of executions begin with that are started here
_MOST_INPUT: Final = 256 * 1024  # bytes, Step Functions' limit


@dataclass(frozen=True)
class ActingDesk:
    """What an operator changes: executions, and jobs in quarantine."""

    reading: ReadingDesk

    def start(self, asked: NewExecution) -> ExecutionId:
        machine = self.reading.known(asked.machine)
        text = json.dumps(self.reading.inputs.check(machine, asked.input), sort_keys=True)
        if len(text.encode()) > _MOST_INPUT:
            says = f"the input has {len(text.encode()):,} bytes; at most {_MOST_INPUT:,} may"
            raise WrongFields.one(InvalidRequest(says), "body.input")
        self.reading.current.spend(jobs=1)
        site = self.reading.site
        states, name = (
            site.client("stepfunctions"),
            asked.name or new_name(_WHY, secrets.token_hex()),
        )
        try:
            states.start_execution(
                stateMachineArn=site.names.machine_arn(machine), name=name, input=text
            )
        except states.exceptions.ExecutionAlreadyExists as error:
            raise ExecutionExists(f"{machine} has had an execution {name}") from error
        self.reading.current.trace(name)
        return ExecutionId(machine=machine, name=name)

    def stop(self, machine: str, name: str) -> ExecutionId:
        found = self.reading.find(machine, name)
        if found.ended:
            raise ExecutionEnded(f"it is {found.status}")
        if not self.reading.reach.allows("StopExecution", machine):
            raise NotStoppable(f"executions of {machine} end by themselves")
        stop(
            self.reading.site, found.arn, error=JobStopped.__name__, cause="stopped in the console"
        )
        return ExecutionId(machine=machine, name=name)

    def redrive(self, machine: str, name: str) -> ExecutionId:
        from pipeline.operations.redriving import NotRedriven, redrive

        found = self.reading.find(machine, name)
        if not self.reading.reach.allows("RedriveExecution", machine):
            raise NotRedrivable(f"executions of {machine} are not redriven; start it again")
        site = self.reading.site
        execution = find_execution(site, found.arn)
        try:
            redrive(site, Job(JobsTable(site).of_execution(found.arn), execution, execution))
        except NotRedriven as error:
            raise NotRedrivable(str(error)) from error
        return ExecutionId(machine=machine, name=name)

    def replay(self, machine: str, name: str, asked: ConsoleReplay) -> ExecutionId:
        from pipeline.operations.replaying import Changes

        found = self.reading.find(machine, name)
        if not found.ended:
            raise NotReplayable("it is running")
        row = self._row(found)
        if row.status == DONE and not asked.force:
            raise NotReplayable("it is done")
        return self._again(
            row, Changes(force=asked.force, options=self._options(row, asked.options))
        )

    def release(self, job_id: str, asked: QuarantineRelease) -> ExecutionId:
        from pipeline.operations.replaying import Changes

        row = JobsTable(self.reading.site).row(job_id) if job_id else None
        if row is None or row.status != QUARANTINED:
            raise NotInQuarantine(f"there is no job {job_id!r:.100} in quarantine")
        return self._again(row, Changes(options=self._options(row, asked.options)))

    def _row(self, found: ReadExecution) -> JobRow:
        """Return the row of the job that an execution claimed last. Raises NotReplayable."""
        site = self.reading.site
        if not any(product.machine == found.machine for product in site.products):
            raise NotReplayable(f"{found.machine} is no product's; start it again with its input")
        output = json.loads(found.output or "{}")
        table, job_id = JobsTable(site), output.get("job_id")
        row = table.of_execution(found.arn) or (table.row(job_id) if job_id else None)
        if row is None:
            raise NotReplayable("it is not recorded yet, or a later execution has claimed its job")
        return row

    def _options(self, row: JobRow, given: dict[str, Any] | None) -> dict[str, Any] | None:
        """Return options that the product of a row takes. Raises WrongFields."""
        product = next((p for p in self.reading.site.products if p.name == row.product), None)
        if given is None or product is None:
            return given
        return dict(check_options(product, self.reading.catalogue, given))

    def _again(self, row: JobRow, changes: Changes) -> ExecutionId:
        from pipeline.operations.replaying import NotReplayed, start_again

        site = self.reading.site
        job = job_of(site, row)
        try:
            start_again(site, job, row, changes, dry_run=True)
            self.reading.current.spend(jobs=1)
            started = start_again(site, job, row, changes)
        except NotReplayed as error:
            raise NotReplayable(str(error)) from error
        known = execution_id(site, started)
        if known is None:
            raise NotReplayable("its execution is not of this deployment")
        return known

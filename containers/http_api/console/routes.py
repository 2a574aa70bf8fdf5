"""The console's routes. Only operators have them: for others, there is no such path."""

from __future__ import annotations

from http import HTTPStatus
from pathlib import Path
from typing import Annotated

from aws_lambda_powertools.event_handler.api_gateway import APIGatewayHttpResolver
from aws_lambda_powertools.event_handler.openapi.params import Query

from containers.http_api.console.acting import ActingDesk
from containers.http_api.console.bodies import ConsoleReplay, NewExecution, QuarantineRelease
from containers.http_api.console.desk import ReadingDesk
from containers.http_api.console.starting import Inputs
from containers.http_api.console.views import (
    Containers,
    ExecutionDetails,
    ExecutionId,
    Executions,
    Logs,
    MachineDetails,
    Machines,
    Quarantine,
    Status,
)
from containers.http_api.current import Current
from containers.http_api.cursors import Limit
from containers.http_api.times import Since
from pipeline.declared.blueprint import read_schedules
from pipeline.declared.catalogue import Catalogue
from pipeline.declared.containers import load_container, load_containers
from pipeline.operations.console.reach import Reach

_TAGS = ["Console"]
Cursor = Annotated[str | None, Query(max_length=3000)]


def add_console(
    api: APIGatewayHttpResolver, current: Current, catalogue: Catalogue, root: Path
) -> None:
    folder = Path(__file__).parents[1]
    reach = Reach(load_container(folder), current.products)
    inputs = Inputs.of(current.products, catalogue, reach)
    schedules, containers = read_schedules(root), load_containers(root)
    desk = ReadingDesk(current, reach, inputs, catalogue, schedules, containers)
    _add_machines(api, desk)
    _add_executions(api, desk)
    _add_quarantine(api, desk)
    _add_actions(api, ActingDesk(desk))


def _add_machines(api: APIGatewayHttpResolver, desk: ReadingDesk) -> None:
    @api.get(
        "/console/machines",
        operation_id="listMachines",
        summary="List the state machines (operators).",
        tags=_TAGS,
        response_description="The machines",
    )
    def list_machines() -> Machines:
        return desk.machines()

    @api.get(
        "/console/machines/<name>",
        operation_id="getMachine",
        summary="Give a state machine's definition, and the inputs it takes (operators).",
        tags=_TAGS,
        response_description="The machine",
    )
    def get_machine(name: str) -> MachineDetails:
        return desk.machine(name)

    @api.get(
        "/console/containers",
        operation_id="listContainers",
        summary="List containers with their live versions and last releases (operators).",
        tags=_TAGS,
        response_description="The containers",
    )
    def list_containers() -> Containers:
        return desk.list_containers()


def _add_executions(api: APIGatewayHttpResolver, desk: ReadingDesk) -> None:
    @api.get(
        "/console/executions",
        operation_id="listExecutions",
        summary="List executions, latest first (operators).",
        tags=_TAGS,
        response_description="Some of the executions",
    )
    def list_executions(
        machine: Annotated[str | None, Query(max_length=80)] = None,
        status: Annotated[Status | None, Query()] = None,
        since: Annotated[Since | None, Query()] = None,
        cursor: Cursor = None,
        limit: Limit = 25,
    ) -> Executions:
        return desk.executions(machine, status, since, cursor, limit)

    @api.get(
        "/console/executions/<machine>/<name>",
        operation_id="getExecution",
        summary="Describe an execution, and the states that it entered (operators).",
        tags=_TAGS,
        response_description="The execution",
    )
    def get_execution(machine: str, name: str, cursor: Cursor = None) -> ExecutionDetails:
        return desk.execution(machine, name, cursor)

    @api.get(
        "/console/executions/<machine>/<name>/logs",
        operation_id="getLogs",
        summary="Give what containers logged of an execution (operators).",
        tags=_TAGS,
        response_description="Some of the lines",
    )
    def get_logs(machine: str, name: str, cursor: Cursor = None, limit: Limit = 100) -> Logs:
        return desk.logs(machine, name, cursor, limit)


def _add_quarantine(api: APIGatewayHttpResolver, desk: ReadingDesk) -> None:
    @api.get(
        "/console/quarantine",
        operation_id="listQuarantine",
        summary="List what is in quarantine, with the reasons (operators).",
        tags=_TAGS,
        response_description="Some of the jobs in quarantine",
    )
    def list_quarantine(cursor: Cursor = None, limit: Limit = 25) -> Quarantine:
        return desk.quarantine(cursor, limit)


def _add_actions(api: APIGatewayHttpResolver, desk: ActingDesk) -> None:
    @api.post(
        "/console/executions",
        operation_id="startExecution",
        summary="Start a state machine with an input that its schema allows (operators).",
        tags=_TAGS,
        status_code=HTTPStatus.CREATED,
        response_description="The execution, which runs",
    )
    def start_execution(execution: NewExecution) -> ExecutionId:
        return desk.start(execution)

    @api.post(
        "/console/executions/<machine>/<name>/stop",
        operation_id="stopExecution",
        summary="Stop an execution (operators).",
        tags=_TAGS,
        status_code=HTTPStatus.ACCEPTED,
        response_description="The execution, which stops",
    )
    def stop_execution(machine: str, name: str) -> ExecutionId:
        return desk.stop(machine, name)

    @api.post(
        "/console/executions/<machine>/<name>/redrive",
        operation_id="redriveExecution",
        summary="Let a failed execution go on where it failed (operators).",
        tags=_TAGS,
        status_code=HTTPStatus.ACCEPTED,
        response_description="The execution, which runs again",
    )
    def redrive_execution(machine: str, name: str) -> ExecutionId:
        return desk.redrive(machine, name)

    @api.post(
        "/console/executions/<machine>/<name>/replay",
        operation_id="replayExecution",
        summary="Start the recorded input of an execution again (operators).",
        tags=_TAGS,
        status_code=HTTPStatus.ACCEPTED,
        response_description="The new execution, which runs",
    )
    def replay_execution(machine: str, name: str, replay: ConsoleReplay) -> ExecutionId:
        return desk.replay(machine, name, replay)

    @api.post(
        "/console/quarantine/<job_id>/release",
        operation_id="releaseJob",
        summary="Run a job in quarantine again (operators).",
        tags=_TAGS,
        status_code=HTTPStatus.ACCEPTED,
        response_description="The new execution, which runs",
    )
    def release_job(job_id: str, release: QuarantineRelease) -> ExecutionId:
        return desk.release(job_id, release)

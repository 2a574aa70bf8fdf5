"""Patch moto 5.2.5 so that it runs these state machines as AWS does.

Each function fixes one defect and names it; delete it when
`tests/pipeline/local/moto/test_moto_seams.py` shows that upstream has. They replace private names,
which is why moto is pinned exactly.
"""

from __future__ import annotations

import functools
import logging
import threading
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from types import SimpleNamespace
from typing import Any, Final

import boto3
from botocore import xform_name
from botocore.config import Config
from botocore.model import OperationModel
from moto import backends
from moto.core.config import default_user_config
from moto.events.models import events_backends

from pipeline.declared.names import LOCAL_NAMES
from pipeline.local import in_process
from pipeline.local.moto import (
    jobs,
    large_objects,
    map_runs,
    memory,
    s3_events,
    steps,
    turns,
    vectors,
)
from pipeline.local.moto.interpreter import (
    EventDetails,
    FailureEvent,
    FailureEventException,
    HistoryEventType,
    StatesErrorName,
    StatesErrorNameType,
    StepFunctionsParserBackend,
    TaskFailedEventDetails,
    boto_client,
    branches_decl,
    execution,
    execution_worker,
    iteration_worker,
    json_path,
    parser_models,
    result_path,
    state_fail,
    state_task_service,
    state_task_service_aws_sdk,
    state_task_service_callback,
    string_to_json,
)
from pipeline.local.status_events import status_change

# boto3's own name for itself takes a tenth of the time of a request that needs no network.
SHORT_AGENT: Final = Config(user_agent="matteline")
_TaskService = state_task_service.StateTaskService
_PARSED_LATER: Final = ContextVar("parsed_later", default=False)
_ENDED: Final = threading.Condition()  # notified when what a task may wait for has ended
_TOLD: Final[list[Callable[[Any], None]]] = []


@functools.cache
def apply() -> None:
    """Apply all patches, once per process."""
    # moto logs a traceback for every failed execution, which is a normal outcome here.
    logging.getLogger("moto").setLevel(logging.CRITICAL)
    default_user_config["stepfunctions"] = {"execute_state_machine": True}
    _shape_sdk_parameters()
    _name_service_errors()
    _name_failed_functions()
    _name_inner_failures()
    _name_what_fail_states_pass_on()
    _name_unnamed_executions()
    _reuse_clients()
    _parse_once()
    _parse_when_started()
    _list_services_once()
    s3_events.apply()
    steps.apply()
    turns.apply()
    large_objects.apply()
    map_runs.apply()
    vectors.apply()
    jobs.apply()
    _announce_ends()
    memory.apply()  # an ended execution is announced before it is stored on disk
    _tell_of_ends()
    _wake_waiting_tasks()


def _shape_sdk_parameters() -> None:
    """SDK integrations do not convert parameters and responses, so `Body` and `.sync:2` fail.

    moto has the converters but never calls them.
    """

    def to_boto(
        self: Any, parameters: Any, boto_service_name: Any = None, service_action_name: Any = None
    ) -> None:
        operation = _operation(self, boto_service_name, service_action_name)
        if operation.input_shape is not None:
            self._to_boto_request(parameters, operation.input_shape)

    def from_boto(
        self: Any, response: Any, boto_service_name: Any = None, service_action_name: Any = None
    ) -> None:
        operation = _operation(self, boto_service_name, service_action_name)
        if operation.output_shape is not None:
            self._from_boto_response(response, operation.output_shape)

    _TaskService._normalise_parameters = to_boto
    _TaskService._normalise_response = from_boto


def _operation(service: Any, name: str | None, action: str | None) -> OperationModel:
    return _operation_model(
        service._get_boto_service_name(name), service._get_boto_service_action(action)
    )


@functools.cache
def _operation_model(service: str, action: str) -> OperationModel:
    model = boto_client.boto_client_for(LOCAL_NAMES.region, service).meta.service_model
    operation = next(name for name in model.operation_names if xform_name(name) == action)
    found: OperationModel = model.operation_model(operation)
    return found


def _name_service_errors() -> None:
    """SDK errors are named `s3.…Exception` after the resource; AWS names them `S3.…`."""
    names = {"s3": "S3", "ecr": "Ecr", "cloudformation": "CloudFormation"}
    state_task_service_aws_sdk._SERVICE_ERROR_NAMES.update(names)


def _name_failed_functions() -> None:
    """Text that is not JSON is `States.Runtime`, not the language's `States.IntrinsicFailure`."""
    read = string_to_json.StringToJson._eval_body
    name = StatesErrorName(typ=StatesErrorNameType.StatesIntrinsicFailure)

    def read_named(self: Any, env: Any) -> None:
        try:
            read(self, env)
        except ValueError as error:
            told = TaskFailedEventDetails(error=name.error_name, cause=str(error))
            raise FailureEventException(
                FailureEvent(
                    env=env,
                    error_name=name,
                    event_type=HistoryEventType.TaskFailed,
                    event_details=EventDetails(taskFailedEventDetails=told),
                )
            ) from error

    string_to_json.StringToJson._eval_body = read_named


def _name_inner_failures() -> None:
    """Errors of Step Functions, as `States.Timeout`, are `States.Runtime` outside their Map."""
    named = _own_or_custom(branches_decl.CustomErrorName)
    branches_decl.CustomErrorName = iteration_worker.CustomErrorName = named


def _name_what_fail_states_pass_on() -> None:
    """A Fail state that names an error of Step Functions, as it was caught, is `States.Runtime`."""
    state_fail.CustomErrorName = _own_or_custom(state_fail.CustomErrorName)


def _own_or_custom(custom_name: Any) -> Callable[[str | None], Any]:
    """Return a function that finds the errors of Step Functions, too, by their names."""
    own = {typ.to_name(): typ for typ in StatesErrorNameType}

    def named(error_name: str | None) -> Any:
        if error_name in own:
            return StatesErrorName(typ=own[error_name])
        return custom_name(error_name=error_name)

    return named


def _name_unnamed_executions() -> None:
    """StartExecution without a name calls the execution "None"; the second one fails."""
    start = StepFunctionsParserBackend.start_execution

    def start_named(self: Any, state_machine_arn: str, name: Any = None, *rest: Any) -> Any:
        return start(self, state_machine_arn, name or str(uuid.uuid4()), *rest)

    StepFunctionsParserBackend.start_execution = start_named


def _reuse_clients() -> None:
    """Every state creates a boto3 client, which is slow and not thread-safe.

    It also reaches this process over HTTP.
    """
    lock = threading.Lock()
    clients: dict[tuple[str, str, str | None], Any] = {}

    def client(service_name: str, region_name: str, **options: Any) -> Any:
        key = (service_name, region_name, options.get("endpoint_url"))
        with lock:
            if key not in clients:
                options["config"] = options.get("config", Config()).merge(SHORT_AGENT)
                client = boto3.client(service_name, region_name=region_name, **options)
                clients[key] = in_process.connect(client)
            return clients[key]

    boto_client.boto3 = SimpleNamespace(client=client)


def _parse_once() -> None:
    """Each execution parses its definition again (100 ms), and each path on every use (1 ms)."""
    parse = execution_worker.AmazonStateLanguageParser.parse

    @functools.cache
    def parsed(definition: str) -> tuple[Any, None]:
        program, _ = parse(definition)  # the syntax tree is large, and needed no more
        return program, None

    parser = SimpleNamespace(parse=parsed)
    execution_worker.AmazonStateLanguageParser = parser_models.AmazonStateLanguageParser = parser
    json_path.parse = functools.cache(json_path.parse)
    result_path.parse = functools.cache(result_path.parse)


@contextmanager
def parsed_when_started() -> Iterator[None]:
    """In this block, state machines are created unparsed: StartExecution refuses a broken one."""
    token = _PARSED_LATER.set(True)
    try:
        yield
    finally:
        _PARSED_LATER.reset(token)


def _parse_when_started() -> None:
    """Each state machine is parsed when it is created (0.5 s for all), most for no execution."""
    validate = StepFunctionsParserBackend._validate_definition
    start = StepFunctionsParserBackend.start_execution

    def validate_now(definition: str) -> None:
        if not _PARSED_LATER.get():
            validate(definition)

    def start_valid(self: Any, state_machine_arn: str, *rest: Any, **options: Any) -> Any:
        validate(self.describe_state_machine(state_machine_arn).definition)
        return start(self, state_machine_arn, *rest, **options)

    StepFunctionsParserBackend._validate_definition = staticmethod(validate_now)
    StepFunctionsParserBackend.start_execution = start_valid


def _list_services_once() -> None:
    """Each request lists moto's own folders, some 200 file system calls, to find its service."""
    backends.list_of_moto_modules = functools.cache(
        functools.partial(frozenset, backends.list_of_moto_modules())
    )


def _announce_ends() -> None:
    """Executions send no status changes to EventBridge; send those of ended executions."""
    ended = execution.BaseExecutionWorkerCommunication.terminated

    def announced(self: Any) -> None:
        ended(self)
        done = self.execution
        buses = events_backends[done.account_id][done.region_name].event_buses
        for rule in list(buses["default"].rules.values()):
            rule.send_to_targets(status_change(done), transform_input=False)

    execution.BaseExecutionWorkerCommunication.terminated = announced


@contextmanager
def told_of_ends(listener: Callable[[Any], None]) -> Iterator[None]:
    """In this block, call `listener` with every execution of this process that has ended."""
    _TOLD.append(listener)
    try:
        yield
    finally:
        _TOLD.remove(listener)


def _tell_of_ends() -> None:
    """Who waits for an execution must describe it again and again."""
    ended = execution.BaseExecutionWorkerCommunication.terminated

    def told(self: Any) -> None:
        with memory.remembered(self.execution) as remembered:
            if not remembered:
                return
            try:
                ended(self)
            finally:
                if self.execution.stop_date is not None:
                    for listener in _TOLD.copy():
                        listener(self.execution)

    execution.BaseExecutionWorkerCommunication.terminated = told


def wake_waiting_tasks() -> None:
    """Let every task ask at once whether what it waits for has ended."""
    with _ENDED:
        _ENDED.notify_all()


def _wake_waiting_tasks() -> None:
    """A task that waits for an execution asks twice a second: one photo waits for its weights."""

    def sleep(seconds: float) -> None:
        with _ENDED:
            _ENDED.wait(seconds)

    _TOLD.append(lambda _: wake_waiting_tasks())
    state_task_service_callback.time = SimpleNamespace(sleep=sleep)

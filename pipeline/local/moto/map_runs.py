"""Make moto 5.2.5 run a distributed Map as AWS does: it ignores items that fail.

As in `compat`, each function fixes one defect. Differences that stay: all items are processed
before too many failures fail the Map, and items have no executions of their own.
"""

from __future__ import annotations

import functools
import json
import threading
import uuid
from collections import defaultdict
from enum import Enum
from typing import Any, Final

from botocore.exceptions import ClientError

from pipeline.local.moto.interpreter import (
    DistributedItemProcessorWorker,
    DistributedIterationComponent,
    EventDetails,
    FailureEvent,
    FailureEventException,
    HistoryEventType,
    ItemReader,
    JobPool,
    MapRunFailedEventDetails,
    MapRunRecord,
    MapRunStatus,
    ReaderOfJson,
    ReaderOfS3,
    ResourceNotFound,
    ResultWriter,
    StateMap,
    StatesErrorName,
    StatesErrorNameType,
    StepFunctionsParserBackend,
    WriterOfS3,
    boto_client,
    event_manager,
    input_type,
    item_reader_decl,
    state_task_service_callback,
    state_task_service_sfn,
)

_Callback: Final = state_task_service_callback.StateTaskServiceCallback
_StatesTask: Final = state_task_service_sfn.StateTaskServiceSfn


def apply() -> None:
    """Apply all patches; `compat.apply` calls this once per process."""
    _read_json_lines()
    _name_unread_items()
    _list_all_objects()
    _judge_items()
    _name_too_many_failures()
    _write_results()
    _stop_children()
    _find_runs()


class _InputType(Enum):
    CSV = "CSV"
    JSON = "JSON"
    JSONL = "JSONL"


class _JsonLines(ReaderOfJson):  # type: ignore[misc]  # moto is untyped
    def _eval_body(self, env: Any) -> None:
        env.stack.pop()  # the reader's settings
        text = env.stack.pop()
        # No other separator of lines than LF: texts may have one, such as U+2028.
        env.stack.append([json.loads(line) for line in text.split("\n") if line.strip()])


def _read_json_lines() -> None:
    """A state machine that reads JSON lines is refused."""
    transformer = item_reader_decl.resource_output_transformer_for
    known = input_type.InputTypeValue

    def transformer_for(input_type: Any) -> Any:
        if input_type.input_type_value is _InputType.JSONL:
            return _JsonLines()
        input_type.input_type_value = known(input_type.input_type_value.value)
        return transformer(input_type)

    input_type.InputTypeValue = _InputType
    item_reader_decl.resource_output_transformer_for = transformer_for


def _name_unread_items() -> None:
    """Items that S3 does not give are `States.Runtime`, not `States.ItemReaderFailed`."""
    read = ItemReader._eval_body

    def read_named(self: Any, env: Any) -> None:
        try:
            read(self, env)
        except ClientError as error:
            raise _failure(env, StatesErrorNameType.StatesItemReaderFailed, str(error)) from error

    ItemReader._eval_body = read_named


def _list_all_objects() -> None:
    """A Map gets the first thousand objects of a bucket, and fails if there are none."""

    def listed(env: Any, resource_runtime_part: Any, state_credentials: Any) -> None:
        client = boto_client.boto_client_for(
            region=resource_runtime_part.region, service="s3", state_credentials=state_credentials
        )
        pages = client.get_paginator("list_objects_v2").paginate(**env.stack.pop())
        env.stack.append([each for page in pages for each in page.get("Contents", [])])

    ReaderOfS3._handle_list_objects_v2 = staticmethod(listed)


def _judge_items() -> None:
    """A Map succeeds whatever becomes of its items, and does not end when it is stopped."""
    select = DistributedItemProcessorWorker._eval_input

    def select_kept(self: Any, env_frame: Any) -> None:
        select(self, env_frame)
        env_frame.given = env_frame.states.get_input()

    DistributedItemProcessorWorker._eval_input = select_kept
    DistributedItemProcessorWorker.eval = _work
    DistributedIterationComponent._map_run = _run


def _name_too_many_failures() -> None:
    """A Map whose items failed ends as one whose items did not; so does one that was stopped."""
    execute, end = StateMap._eval_execution, MapRunRecord.set_stop

    def fail_after_results(self: Any, env: Any) -> None:
        execute(self, env)
        runs = env.map_run_record_pool_manager.get_all()
        if runs and (cause := getattr(runs[-1], "exceeded", "")):
            raise _failure(env, StatesErrorNameType.StatesExceedToleratedFailureThreshold, cause)

    def end_as_it_was(self: Any, status: Any) -> None:
        if getattr(self, "aborted", False):
            status = MapRunStatus.ABORTED
        elif getattr(self, "exceeded", ""):
            status = MapRunStatus.FAILED
        end(self, status)

    StateMap._eval_execution = fail_after_results
    MapRunRecord.set_stop = end_as_it_was


def _run(self: Any, env: Any, eval_input: Any) -> None:
    """Process all items, and note whether the Map was stopped, or more failed than it tolerates."""
    items, record = env.stack.pop(), eval_input.map_run_record
    record.ended = []
    record.item_counter.total.offset(len(items))
    record.item_counter.pending.offset(len(items))
    pool = JobPool(job_program=self._get_iteration_program(), job_inputs=items)
    most = min(record.max_concurrency or len(items), len(items))
    workers = [
        self._create_worker(env=env, eval_input=eval_input, job_pool=pool) for _ in range(most)
    ]
    threads = [threading.Thread(target=each.eval, daemon=True) for each in workers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    failed = record.item_counter.failed.get()
    tolerated = record.tolerated_failure_percentage / 100 * len(items)
    record.aborted = not env.is_running()
    if not record.aborted and failed > max(tolerated, record.tolerated_failure_count):
        record.exceeded = f"{failed} of {len(items)} items failed"
    env.stack.append([])


def _work(self: Any) -> None:
    """Process items until there are none, or the Map is stopped; note what became of each.

    An item's events are forgotten with it: nobody can ask for them, and there may be many items.
    """
    record = self._map_run_record
    counter = record.item_counter
    while self._env.is_running() and (job := self._job_pool.next_job()) is not None:
        counter.pending.offset(-1)
        counter.total.offset(-1)  # the job counts itself again
        failed = counter.failed.get
        frame = self._env.open_inner_frame()
        frame.event_manager = event_manager.EventManager()
        self._eval_job(env=frame, job=job)
        self._env.delete_frame(frame)
        if job.job_output is not None:
            record.ended.append(_entry(record, frame, Status="SUCCEEDED", output=job.job_output))
        elif self._env.is_running():
            error = getattr(frame.program_state(), "error", None) or {}
            told = {"Error": error.get("error") or "", "Cause": error.get("cause") or ""}
            record.ended.append(_entry(record, frame, Status="FAILED", **told))
        elif failed():  # stopped: what waited for its own execution has failed then
            counter.failed.offset(-1)
            counter.aborted.count()
        job.job_output = None  # the entry has it
        self._job_pool.close_job(job)


def _entry(record: Any, frame: Any, *, output: Any = None, **told: str) -> dict[str, str]:
    """Return an item's entry in the results, as AWS's ResultWriter writes it."""
    name = str(uuid.uuid4())
    arn = record.map_state_machine_arn.replace(":stateMachine:", ":execution:")
    given = getattr(frame, "given", None)
    entry = {"ExecutionArn": f"{arn}:{name}", "Name": name, "Input": json.dumps(given), **told}
    return entry if output is None else {**entry, "Output": json.dumps(output, default=str)}


def _write_results() -> None:
    """The ResultWriter writes no files of results, and reads its paths in the results."""
    write = ResultWriter._eval_body

    def with_input(self: Any, env: Any) -> None:
        env.stack.append(env.states.get_input())
        write(self, env)

    def written(env: Any, resource_runtime_part: Any, state_credentials: Any) -> None:
        parameters, _, _ = env.stack.pop(), env.stack.pop(), env.stack.pop()
        record = env.map_run_record_pool_manager.get_all()[-1]
        bucket = parameters["Bucket"]
        run = record.map_run_arn.rpartition(":")[2]
        folder = "/".join(filter(None, [parameters["Prefix"].rstrip("/"), run]))
        client = boto_client.boto_client_for(
            region=resource_runtime_part.region, service="s3", state_credentials=state_credentials
        )
        put = functools.partial(client.put_object, Bucket=bucket)
        by_status = defaultdict[str, list[dict[str, str]]](list)
        for entry in record.ended:
            by_status[entry["Status"]].append(entry)
        files: dict[str, list[dict[str, Any]]] = {"FAILED": [], "PENDING": [], "SUCCEEDED": []}
        for status, entries in by_status.items():
            body, key = json.dumps(entries).encode(), f"{folder}/{status}_0.json"
            put(Key=key, Body=body)
            files[status].append({"Key": key, "Size": len(body)})
        manifest = f"{folder}/manifest.json"
        about = {"DestinationBucket": bucket, "MapRunArn": record.map_run_arn, "ResultFiles": files}
        if env.is_running():
            put(Key=manifest, Body=json.dumps(about).encode())
        details = {"Bucket": bucket, "Key": manifest}
        env.stack.append({"MapRunArn": record.map_run_arn, "ResultWriterDetails": details})

    ResultWriter._eval_body = with_input
    WriterOfS3._handle_put_object = staticmethod(written)


def _stop_children() -> None:
    """An execution that a task waits for goes on when the task is stopped or times out."""
    build, wait = _StatesTask._build_sync2_resolver, _Callback._eval_sync

    def built(self: Any, env: Any, **options: Any) -> Any:
        child = env.stack[-1]["ExecutionArn"]
        resolver = build(self, env, **options)
        resolver.child = child, options
        return resolver

    def waited(self: Any, env: Any, sync_resolver: Any, **options: Any) -> Any:
        outcome = wait(self, env, sync_resolver, **options)
        child = getattr(sync_resolver, "child", None)
        if child and outcome is None and not env.is_running():
            arn, called = child
            boto_client.boto_client_for(
                service="stepfunctions",
                region=called["resource_runtime_part"].region,
                state_credentials=called["state_credentials"],
            ).stop_execution(executionArn=arn)
        return outcome

    _StatesTask._build_sync2_resolver = built
    _Callback._eval_sync = waited


def _find_runs() -> None:
    """Map Runs are not found, but an error of the server, while any execution begins."""

    def listed(self: Any, execution_arn: str) -> dict[str, Any]:
        runs = _runs_of(self.describe_execution(execution_arn=execution_arn))
        return {"mapRuns": [run.list_item() for run in runs]}

    def described(self: Any, map_run_arn: str) -> dict[str, Any]:
        runs = (run for each in self._get_executions() for run in _runs_of(each))
        found = next((run for run in runs if run.map_run_arn == map_run_arn), None)
        if found is None:
            raise ResourceNotFound(map_run_arn)
        described: dict[str, Any] = found.describe()
        return described

    StepFunctionsParserBackend.list_map_runs = listed
    StepFunctionsParserBackend.describe_map_run = described


def _runs_of(execution: Any) -> list[Any]:
    env = getattr(execution.exec_worker, "env", None)  # none until its definition is parsed
    return env.map_run_record_pool_manager.get_all() if env else []


def _failure(env: Any, kind: StatesErrorNameType, cause: str) -> FailureEventException:
    name = StatesErrorName(typ=kind)
    details = MapRunFailedEventDetails(error=name.error_name, cause=cause)
    return FailureEventException(
        FailureEvent(
            env=env,
            error_name=name,
            event_type=HistoryEventType.TaskFailed,
            event_details=EventDetails(mapRunFailedEventDetails=details),
        )
    )

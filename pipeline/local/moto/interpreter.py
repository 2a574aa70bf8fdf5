"""Import moto's interpreter of state machines without `moto.ec2`.

Its integration with AWS Batch needs one enum of `moto.batch`, which loads `moto.ec2`: a third of
the processor time, and half of the memory, of all that the local cloud imports. A copy of the enum
stands in for `moto.batch` while the interpreter is imported.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from enum import StrEnum
from types import ModuleType
from typing import Final

_STANDS_IN: Final = ("moto.batch", "moto.batch.utils")


class JobStatus(StrEnum):
    """`moto.batch.utils.JobStatus`, as far as the interpreter compares with it."""

    SUCCEEDED = "SUCCEEDED"
    FAILED = "FAILED"


@contextmanager
def _without_batch() -> Iterator[None]:
    if "moto.batch" in sys.modules:  # then `moto.ec2` is loaded, too
        yield
        return
    for name in _STANDS_IN:
        sys.modules[name] = ModuleType(name)
    sys.modules["moto.batch.utils"].JobStatus = JobStatus  # type: ignore[attr-defined]
    try:
        yield
    finally:
        for name in _STANDS_IN:
            del sys.modules[name]


with _without_batch():
    from moto.stepfunctions.exceptions import ResourceNotFound
    from moto.stepfunctions.models import StepFunctionBackend
    from moto.stepfunctions.parser import models as parser_models
    from moto.stepfunctions.parser.api import (
        HistoryEventType,
        MapRunFailedEventDetails,
        MapRunStatus,
        TaskFailedEventDetails,
    )
    from moto.stepfunctions.parser.asl.component.common.error_name.failure_event import (
        FailureEvent,
        FailureEventException,
    )
    from moto.stepfunctions.parser.asl.component.common.error_name.states_error_name import (
        StatesErrorName,
    )
    from moto.stepfunctions.parser.asl.component.common.error_name.states_error_name_type import (
        StatesErrorNameType,
    )
    from moto.stepfunctions.parser.asl.component.common.path import result_path
    from moto.stepfunctions.parser.asl.component.common.string import string_expression
    from moto.stepfunctions.parser.asl.component.intrinsic.function.statesfunction.json_manipulation import (  # noqa: E501
        string_to_json,
    )
    from moto.stepfunctions.parser.asl.component.state.exec import execute_state
    from moto.stepfunctions.parser.asl.component.state.exec.state_map.item_reader import (
        item_reader_decl,
    )
    from moto.stepfunctions.parser.asl.component.state.exec.state_map.item_reader.eval.resource_eval_s3 import (  # noqa: E501
        ResourceEvalS3 as ReaderOfS3,
    )
    from moto.stepfunctions.parser.asl.component.state.exec.state_map.item_reader.eval.resource_output_transformer.transformer_json import (  # noqa: E501
        ResourceOutputTransformerJson as ReaderOfJson,
    )
    from moto.stepfunctions.parser.asl.component.state.exec.state_map.item_reader.item_reader_decl import (  # noqa: E501
        ItemReader,
    )
    from moto.stepfunctions.parser.asl.component.state.exec.state_map.item_reader.reader_config import (  # noqa: E501
        input_type,
    )
    from moto.stepfunctions.parser.asl.component.state.exec.state_map.iteration import (
        iteration_worker,
    )
    from moto.stepfunctions.parser.asl.component.state.exec.state_map.iteration.distributed_iteration_component import (  # noqa: E501
        DistributedIterationComponent,
    )
    from moto.stepfunctions.parser.asl.component.state.exec.state_map.iteration.itemprocessor.distributed_item_processor_worker import (  # noqa: E501
        DistributedItemProcessorWorker,
    )
    from moto.stepfunctions.parser.asl.component.state.exec.state_map.iteration.itemprocessor.map_run_record import (  # noqa: E501
        MapRunRecord,
        MapRunRecordPoolManager,
    )
    from moto.stepfunctions.parser.asl.component.state.exec.state_map.iteration.job import (
        JobPool,
    )
    from moto.stepfunctions.parser.asl.component.state.exec.state_map.result_writer.resource_eval.resource_eval_s3 import (  # noqa: E501
        ResourceEvalS3 as WriterOfS3,
    )
    from moto.stepfunctions.parser.asl.component.state.exec.state_map.result_writer.result_writer_decl import (  # noqa: E501
        ResultWriter,
    )
    from moto.stepfunctions.parser.asl.component.state.exec.state_map.state_map import (
        StateMap,
    )
    from moto.stepfunctions.parser.asl.component.state.exec.state_parallel import branches_decl
    from moto.stepfunctions.parser.asl.component.state.exec.state_task.service import (
        state_task_service,
        state_task_service_aws_sdk,
        state_task_service_batch,
        state_task_service_callback,
        state_task_service_sfn,
    )
    from moto.stepfunctions.parser.asl.component.state.fail import state_fail
    from moto.stepfunctions.parser.asl.eval import states
    from moto.stepfunctions.parser.asl.eval.callback.callback import CallbackPoolManager
    from moto.stepfunctions.parser.asl.eval.event import event_manager
    from moto.stepfunctions.parser.asl.eval.event.event_detail import EventDetails
    from moto.stepfunctions.parser.asl.utils import boto_client, json_path
    from moto.stepfunctions.parser.backend import execution, execution_worker
    from moto.stepfunctions.parser.backend.execution import (
        BaseExecutionWorkerCommunication,
        Execution,
    )
    from moto.stepfunctions.parser.models import (
        StepFunctionsParserBackend,
        stepfunctions_parser_backends,
    )
    from moto.stepfunctions.parser.utils import TMP_THREADS

__all__ = [
    "TMP_THREADS",
    "BaseExecutionWorkerCommunication",
    "CallbackPoolManager",
    "DistributedItemProcessorWorker",
    "DistributedIterationComponent",
    "EventDetails",
    "Execution",
    "FailureEvent",
    "FailureEventException",
    "HistoryEventType",
    "ItemReader",
    "JobPool",
    "MapRunFailedEventDetails",
    "MapRunRecord",
    "MapRunRecordPoolManager",
    "MapRunStatus",
    "ReaderOfJson",
    "ReaderOfS3",
    "ResourceNotFound",
    "ResultWriter",
    "StateMap",
    "StatesErrorName",
    "StatesErrorNameType",
    "StepFunctionBackend",
    "StepFunctionsParserBackend",
    "TaskFailedEventDetails",
    "WriterOfS3",
    "boto_client",
    "branches_decl",
    "event_manager",
    "execute_state",
    "execution",
    "execution_worker",
    "input_type",
    "item_reader_decl",
    "iteration_worker",
    "json_path",
    "parser_models",
    "result_path",
    "state_fail",
    "state_task_service",
    "state_task_service_aws_sdk",
    "state_task_service_batch",
    "state_task_service_callback",
    "state_task_service_sfn",
    "states",
    "stepfunctions_parser_backends",
    "string_expression",
    "string_to_json",
]

"""Executions of moto's that are over: on disk, but for what a list of them shows."""

from __future__ import annotations

import weakref
from datetime import datetime
from types import SimpleNamespace
from typing import Any, Final

from moto.stepfunctions.parser.asl.component.state.exec.state_map.iteration.itemprocessor.map_run_record import (  # noqa: E501
    MapRunRecordPoolManager,
)
from moto.stepfunctions.parser.asl.eval.callback.callback import CallbackPoolManager
from moto.stepfunctions.parser.backend.execution import Execution

from pipeline.local.moto.spill import spill

_SHELF: Final = "executions"
_LISTED: Final = frozenset(
    {"name", "exec_arn", "execution_arn", "exec_status", "start_date", "stop_date"}
)
_LEFT_OUT: Final = frozenset({"state_machine", "exec_worker", "_activity_store"})
_NOTHING_RUNS: Final = SimpleNamespace(
    callback_pool_manager=CallbackPoolManager(activity_store={}),
    map_run_record_pool_manager=MapRunRecordPoolManager(),
)
_MACHINES: Final = weakref.WeakValueDictionary[tuple[str, datetime], Any]()


class EndedExecution(Execution):  # type: ignore[misc]  # moto is untyped
    """Reads from disk whatever else is asked of it."""

    exec_worker = SimpleNamespace(env=_NOTHING_RUNS)

    def __getattr__(self, name: str) -> Any:
        try:
            return _kept(self)[name]
        except KeyError:
            raise AttributeError(name) from None

    def to_history_output(self) -> dict[str, Any]:
        return {"events": _kept(self)["history"]}

    def stop(self, *_: Any, **__: Any) -> None:
        """Do nothing: it is over."""


def put_away(execution: Execution) -> None:
    """Make an EndedExecution of it, unless somebody may still ask for the runs of its Maps."""
    env = execution.exec_worker.env
    if type(execution) is not Execution or env.map_run_record_pool_manager.get_all():
        return
    told = vars(execution)
    kept = {name: value for name, value in told.items() if name not in _LISTED | _LEFT_OUT}
    kept["history"] = env.event_manager.get_event_history()
    spill().put(_SHELF, execution.exec_arn, kept)
    listed = {name: told[name] for name in _LISTED}
    execution.__class__ = EndedExecution
    execution.__dict__ = listed | {"state_machine": _same(execution.state_machine)}


def _kept(execution: EndedExecution) -> dict[str, Any]:
    kept: dict[str, Any] = spill().get(_SHELF, vars(execution)["exec_arn"])
    return kept


def _same(machine: Any) -> Any:
    """One machine for all its executions: each has a copy of it as it was when it was started."""
    return _MACHINES.setdefault((machine.arn, machine.update_date), machine)

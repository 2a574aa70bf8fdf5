"""The trace id: one name for all that is done for an upload, from its first log line to its record.

It is the name of the upload's execution. A product that hands the upload over starts the other
product's execution under the same name. Executions that an execution starts for itself, such as
those of `stage-weights`, have names of their own, and say in their payloads whose they are.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def trace_id(execution: str) -> str:
    """Return the trace id of an execution, given by its ARN or its name."""
    return execution.rpartition(":")[2]


def trace_of(payload: Mapping[str, Any]) -> str | None:
    """Return the trace id that a function's payload names, or that of its execution, if any."""
    match payload:
        case {"trace_id": str(given)} if given:
            return given
        case {"execution": str(execution)} if execution:
            return trace_id(execution)
    return None

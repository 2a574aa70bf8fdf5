"""Read inputs of moto's executions without a request, which would take milliseconds."""

from __future__ import annotations

import json
from typing import Any

from pipeline.declared.names import LOCAL_NAMES
from pipeline.local.moto.interpreter import stepfunctions_parser_backends


def find_input(arn: str) -> Any:
    """Return the input of an execution by its ARN; None if there is none.

    The latest ones are found first: calls come from executions that run.
    """
    backend = stepfunctions_parser_backends[LOCAL_NAMES.account][LOCAL_NAMES.region]
    machine_arn = arn.rpartition(":")[0].replace(":execution:", ":stateMachine:")
    for machine in list(backend.state_machines):
        if machine.arn == machine_arn:
            for execution in reversed(machine.executions):
                if execution.execution_arn == arn:
                    return json.loads(execution.execution_input)
    return None

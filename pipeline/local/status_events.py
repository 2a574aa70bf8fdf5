"""Build the event that AWS sends when an execution ends, from moto's execution.

`time` stays a number: moto formats it when it puts the event in a queue.
"""

from __future__ import annotations

import datetime as dt
import json
import uuid
from typing import Any


def status_change(execution: Any) -> dict[str, Any]:
    """Return the status change event of an ended moto execution; unknown fields are null."""
    ended = execution.stop_date
    return {
        "version": "0",
        "id": str(uuid.uuid4()),
        "detail-type": "Step Functions Execution Status Change",
        "source": "aws.states",
        "account": execution.account_id,
        "time": ended.timestamp(),
        "region": execution.region_name,
        "resources": [execution.exec_arn],
        "detail": {
            "executionArn": execution.exec_arn,
            "stateMachineArn": execution.state_machine.arn,
            "stateMachineVersionArn": None,
            "stateMachineAliasArn": None,
            "name": execution.name,
            "status": execution.status,
            "startDate": _ms(execution.start_date),
            "stopDate": _ms(ended),
            "input": json.dumps(execution.input_data),
            "inputDetails": {"included": True},
            "output": None if execution.output is None else json.dumps(execution.output),
            "outputDetails": None if execution.output is None else {"included": True},
            "error": execution.error,
            "cause": execution.cause,
            "redriveCount": 0,
            "redriveDate": None,
        },
    }


def _ms(moment: dt.datetime) -> int:
    return round(moment.timestamp() * 1000)

"""Write a line to a zipped function's log, as those of containers are: JSON, with a trace id."""

from __future__ import annotations

import json
import sys
from datetime import UTC, datetime
from typing import Any


def write_line(function: str, message: str, *, trace_id: str, **fields: Any) -> None:  # noqa: ANN401
    """Write one line about the upload, or the execution, with this trace id."""
    line = {
        "timestamp": datetime.now(UTC).isoformat(),
        "level": "WARNING" if "error" in fields else "INFO",
        "container": function,
        "message": message,
        "trace_id": trace_id,
        **fields,
    }
    sys.stdout.write(json.dumps(line) + "\n")

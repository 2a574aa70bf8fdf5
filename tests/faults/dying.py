"""A container's own handler, but for some uploads, whose process is killed."""

from __future__ import annotations

import importlib
import json
import os
import signal
from typing import Any


def handler(event: dict[str, Any], context: Any) -> Any:
    """Do the work and then, before anybody hears of it, die."""
    module, _, name = os.environ["MATTELINE_REAL_HANDLER"].rpartition(".")
    answer = getattr(importlib.import_module(module), name)(event, context)
    told = json.dumps(event)
    if any(
        all(word in told for word in each.split("+"))
        for each in os.environ["MATTELINE_DIES_OF"].split()
    ):
        os.kill(os.getpid(), signal.SIGKILL)
    return answer

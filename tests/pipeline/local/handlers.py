"""A handler that does what its event says, for tests of the Lambda host."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np


class DeliberateError(Exception):
    """Raised on purpose."""


def obey(event: dict[str, Any], context: Any) -> dict[str, Any]:
    match event["do"]:
        case "echo":
            return {
                "said": event["say"],
                "pid": os.getpid(),
                "request_id": context.aws_request_id,
                "arn": context.invoked_function_arn,
                "left_ms": context.get_remaining_time_in_millis(),
                "memory": os.environ["AWS_LAMBDA_FUNCTION_MEMORY_SIZE"],
                "own_aws_profile": os.environ.get("AWS_PROFILE"),
            }
        case "raise":
            raise DeliberateError(event["say"])
        case "sleep":
            time.sleep(event["seconds"])
            return {"pid": os.getpid()}
        case "exit":
            os._exit(event["status"])
        case "kill":
            os.kill(os.getpid(), event["signal"])
            return {}
        case "kill the parent":
            os.kill(os.getppid(), signal.SIGKILL)
            time.sleep(event["seconds"])
            return {}
        case "tell":
            return _about_this_process()
        case "start":
            child = subprocess.Popen([sys.executable, "-c", event["code"]])
            return {"pid": child.pid, "status": child.wait() if event["wait"] else None}
        case other:
            raise ValueError(other)


def _about_this_process() -> dict[str, Any]:
    own = Path("/proc/self")
    return {
        "pid": os.getpid(),
        "parent": os.getppid(),
        "session": os.getsid(0),
        "group": os.getpgrp(),
        "folder": str(Path.cwd()),
        "name": (own / "comm").read_text().strip(),
        "descriptors": sorted(path.name for path in (own / "fd").iterdir()),
        "input": str((own / "fd/0").readlink()),
        "handles_children": signal.getsignal(signal.SIGCHLD) != signal.SIG_DFL,
        "environment": dict(os.environ),
        "modules": sorted(sys.modules),
        "first_path": sys.path[0],
        "arguments": sys.argv[1:],
        "drawn": {
            "random": random.random(),  # noqa: S311 - a test asks whether it is shared
            "numpy": np.random.random(),  # noqa: NPY002 - the one that modules share
            "name": tempfile.mktemp(),  # noqa: S306 - only its name counts
        },
    }

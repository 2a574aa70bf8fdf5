"""Answer `job.json` in a fresh process as a new function does; write times to `times.json`."""

from __future__ import annotations

import time

_STARTED = time.perf_counter()  # before anything else is imported

import json  # noqa: E402
import sys  # noqa: E402
from pathlib import Path  # noqa: E402
from types import SimpleNamespace  # noqa: E402
from typing import Any, cast  # noqa: E402

from containers.vector_index.handler import handler  # noqa: E402


def main(folder: Path) -> None:
    event = json.loads((folder / "job.json").read_text())
    call = cast("Any", SimpleNamespace(
        function_name="vector-index", memory_limit_in_mb=3008, invoked_function_arn="a",
        aws_request_id="r", get_remaining_time_in_millis=lambda: 60_000,
    ))  # fmt: skip
    told = {"import_s": time.perf_counter() - _STARTED, "import_cpu_s": time.process_time()}
    for name in ("first", "next"):
        wall, cpu = time.perf_counter(), time.process_time()
        handler(event, call)
        told[f"{name}_s"] = time.perf_counter() - wall
        told[f"{name}_cpu_s"] = time.process_time() - cpu
    (folder / "times.json").write_text(json.dumps(told))


if __name__ == "__main__":
    main(Path(sys.argv[1]))

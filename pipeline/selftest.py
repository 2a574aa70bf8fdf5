"""What a container's image proves of itself: one real job through its real handler, no AWS needed.

Each container's `selftest.py` says which job, and what has to come out.
"""

from __future__ import annotations

import json
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Final, NoReturn, TypeVar, cast

from aws_lambda_powertools.utilities.typing import LambdaContext

from pipeline.artifacts import Artifact, LocalStore, Location
from pipeline.contracts.contract import Job, Result
from pipeline.task import Handler, equip
from pipeline.workbench import Settings, Workbench

ROOT: Final = Path(__file__).parents[1]
R = TypeVar("R", bound=Result)
Check = Callable[["Trial"], None]


class SelfTestFailed(Exception):
    """The image does not do what its container is for."""


@dataclass(frozen=True)
class Trial:
    """A workbench whose store is a folder, and what was seen to be right so far."""

    bench: Workbench
    seen: dict[str, object]

    def put(self, location: Location, content: bytes) -> Artifact:
        return self.bench.store.write(location, content, media_type="")

    def read(self, artifact: Artifact) -> bytes:
        return self.bench.store.read(Location.parse(artifact.uri))

    def run(self, handler: Handler, job: Job, result: type[R]) -> R:
        """Hand the job to the handler as Lambda would, and parse what it answers."""
        event = job.model_dump(mode="json", by_alias=True)
        return result.model_validate(handler(event, _lambda_context()))

    def expect(self, what: str, actual: object, expected: object) -> None:
        """Note `what` as seen; SelfTestFailed if it is not as expected."""
        if actual != expected:
            raise SelfTestFailed(f"{what} is {actual!r}, not {expected!r}")
        self.seen[what] = expected


def selftest(container: str, check: Check) -> NoReturn:
    """Run `check`, print one line of JSON after the handler's own log, exit with 0 or 1."""
    started = time.perf_counter()
    verdict: dict[str, Any] = {"selftest": container, "passed": True}
    with tempfile.TemporaryDirectory(prefix="selftest-") as folder:
        trial = Trial(_bench(Path(folder)), {})
        try:
            check(trial)
        except SelfTestFailed as failure:
            verdict |= {"passed": False, "reason": str(failure)}
    seconds = round(time.perf_counter() - started, 3)
    sys.stdout.write(json.dumps({**verdict, "seen": trial.seen, "seconds": seconds}) + "\n")
    sys.exit(not verdict["passed"])


def _bench(folder: Path) -> Workbench:
    settings = Settings(scratch=folder / "scratch")
    bench = Workbench(root=ROOT, settings=settings, store=LocalStore(folder / "store"))
    equip(bench)
    return bench


def _lambda_context() -> LambdaContext:
    context = SimpleNamespace(
        function_name="selftest",
        function_version="1",
        memory_limit_in_mb=0,
        invoked_function_arn="arn:aws:lambda:::function:selftest",
        aws_request_id="selftest",
    )
    return cast("LambdaContext", context)

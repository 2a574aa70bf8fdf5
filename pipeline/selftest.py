"""Run a container's self-test inside its image, without AWS: its golden event in its real handler.

Each container's `selftest.py` prepares what the event needs, and may check more.
"""

from __future__ import annotations

import json
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Final, NoReturn, TypeVar, cast

from aws_lambda_powertools.utilities.typing import LambdaContext

from pipeline.artifacts import Artifact, LocalStore, Location
from pipeline.contracts.contract import Result
from pipeline.declared.models import ModelRow
from pipeline.golden import Golden, Row, Run
from pipeline.observed import Handler
from pipeline.task import equip
from pipeline.weights.staged import StagedFile, StagedWeights
from pipeline.workbench import Settings, Workbench

ROOT: Final = Path(__file__).parents[1]
R = TypeVar("R", bound=Result)
Check = Callable[["Trial"], None]


class SelfTestFailed(Exception):
    """A result differs from the expected one."""


@dataclass(frozen=True)
class Trial:
    """A workbench whose store is a folder, and the values that were checked so far."""

    container: str
    bench: Workbench
    seen: dict[str, object]

    def put(self, location: Location, content: bytes) -> Artifact:
        return self.bench.store.write(location, content, media_type="")

    def read(self, artifact: Artifact) -> bytes:
        return self.bench.store.read(Location.parse(artifact.uri))

    def offer(self, overlay: Path) -> Workbench:
        """Equip the handler with the rows of a catalogue file too; return its workbench."""
        settings = replace(self.bench.settings, catalogue_overlays=(overlay,))
        bench = Workbench(root=self.bench.root, settings=settings, store=self.bench.store)
        equip(bench)
        return bench

    def stage(self, row: ModelRow, folder: Path) -> Row:
        """Write the row's files from a folder to the models bucket, as the downloader would."""
        staged = []
        for file in row.files:
            place = Location("models", f"{row.weights_prefix}/{file.name}")
            artifact = self.put(place, (folder / file.name).read_bytes())
            staged.append(
                StagedFile(name=file.name, digest=file.digest, source="selftest", artifact=artifact)
            )
        record = StagedWeights(model=row.name, licence=row.licence, files=tuple(staged))
        self.put(Location("models", row.weights_key), record.model_dump_json().encode())
        return Row(row.name, row.engine.name, row.weights_key)

    def run(self, handler: Handler, result: type[R], *, row: Row | None = None) -> R:
        """Give the handler the container's golden job, as `answer` does, and parse its result."""
        return result.model_validate(self.answer(handler, row=row))

    def answer(self, handler: Handler, *, row: Row | None = None) -> dict[str, Any]:
        """Give the handler the container's golden event, check its answer and return it.

        Raises SelfTestFailed for the first difference from what `golden.toml` expects.
        """
        golden = Golden.prepare(
            self.bench.root / "containers" / self.container.replace("-", "_"),
            Run("work", "selftest", models_bucket="models", row=row),
            self._write,
        )
        answer = handler(dict(golden.payload), _lambda_context())
        for check in golden.checks(answer, self._fetch):
            self._note(*check)
        return answer

    def expect(self, what: str, actual: object, expected: object) -> None:
        """Record a value. Raises SelfTestFailed if it is not the expected one."""
        problem = "" if actual == expected else f"{what} is {actual!r}, not {expected!r}"
        self._note(what, actual, problem)

    def _note(self, what: str, value: object, problem: str) -> None:
        if problem:
            raise SelfTestFailed(problem)
        self.seen[what] = value

    def _write(self, bucket: str, key: str, content: bytes) -> str:
        location = Location(bucket, key)
        self.put(location, content)
        return self.bench.store.stat(location).etag

    def _fetch(self, uri: str) -> bytes | None:
        try:
            return self.bench.store.read(Location.parse(uri))
        except (KeyError, ValueError):
            return None


def selftest(container: str, check: Check) -> NoReturn:
    """Run `check`, print the verdict as one line of JSON after the handler's log, exit 0 or 1."""
    started = time.perf_counter()
    verdict: dict[str, Any] = {"selftest": container, "passed": True}
    with tempfile.TemporaryDirectory(prefix="selftest-") as folder:
        trial = Trial(container, _bench(Path(folder)), {})
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
        get_remaining_time_in_millis=lambda: 900_000,
    )
    return cast("LambdaContext", context)

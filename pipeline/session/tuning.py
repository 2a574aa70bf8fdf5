"""Try a model's task in processes of the local cloud, with the memory of each size."""

from __future__ import annotations

import json
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

from pipeline import hardware
from pipeline.declared.names import LOCAL_NAMES as NAMES
from pipeline.declared.products import Product, Role
from pipeline.errors import InvalidOptions, ModelNotOffered, WeightsUnavailable
from pipeline.golden import Golden, Row, Run
from pipeline.local.process_figures import MEASURABLE, MemoryLimit, cpu_seconds, delayed_s
from pipeline.local.source_launcher import SourceLauncher
from pipeline.local.worker import Function, Worker
from pipeline.operations.tuning import OUT_OF_MEMORY, Size, Spent, cpus_with, threads_with
from pipeline.session.stager import stage_model
from pipeline.session.staging_watch import fetching_packages
from pipeline.session.watching import Watch

if TYPE_CHECKING:
    from pipeline.declared.blueprint import Blueprint
    from pipeline.declared.models import ModelRow
    from pipeline.local.cloud import LocalCloud
    from pipeline.local.runtime_api import Answer
    from pipeline.session.availability import Reach

Options = Mapping[str, str]

GOLDEN_PREFIX: Final = "smoke/tune"
_LOOK_AGAIN_S: Final = 0.2
_SLOWER: Final = 4  # times Lambda's time limit: a busy machine is no reason to give up


@dataclass(frozen=True)
class Call:
    """A payload, and the keys of the work bucket before the function was called with it.

    A task that finds its own result there does not work again.
    """

    payload: bytes
    keys: frozenset[str]


@dataclass(frozen=True)
class Task:
    """A model's function, and the calls to make: one for each input."""

    cloud: LocalCloud
    function: Function
    calls: tuple[Call, ...]

    def prepare(self, call: Call) -> None:
        """Delete what earlier calls wrote."""
        s3, bucket = self.cloud.client("s3"), NAMES.bucket("work")
        for key in _work_keys(self.cloud) - call.keys:
            s3.delete_object(Bucket=bucket, Key=key)


def golden_task(cloud: LocalCloud, row: ModelRow, reach: Reach) -> Task:
    """Stage the model's weights, and return the call with the container's golden event.

    Raises WeightsUnavailable if they cannot be staged.
    """
    staged = stage_model(cloud, row, reach)
    if staged.reason:
        raise WeightsUnavailable(staged.reason)
    s3 = cloud.client("s3")

    def write(bucket: str, key: str, content: bytes) -> str:
        etag: str = s3.put_object(Bucket=bucket, Key=key, Body=content)["ETag"]
        return etag.strip('"')

    run = Run(
        NAMES.bucket("work"),
        GOLDEN_PREFIX,
        NAMES.bucket("models"),
        Row(row.name, row.engine.name, row.weights_key),
    )
    golden = Golden.prepare(container_folder(cloud.blueprint.root, row.container), run, write)
    call = Call(json.dumps(dict(golden.payload)).encode(), _work_keys(cloud))
    return Task(cloud, _function(cloud, row), (call,))


def given_task(cloud: LocalCloud, row: ModelRow, reach: Reach, files: Sequence[Path]) -> Task:
    """Run the model's product for each file, and return the call of its function that took longest.

    Raises InvalidOptions if the product did not call it, with the reason.
    """
    product, role = product_of(cloud.blueprint, row)
    metadata = _metadata(product, role, row)
    function = _function(cloud, row)
    began: dict[bytes, frozenset[str]] = {}
    took: dict[bytes, float] = {}

    def begin(name: str, payload: bytes) -> None:
        if name == function.name and payload not in began:
            began[payload] = _work_keys(cloud)

    def end(name: str, payload: bytes, answer: Answer) -> None:
        if name == function.name:
            took[payload] = json.loads(answer.payload).get("metrics", {}).get("task_ms", 0.0)

    cloud.host.listen_before(begin)
    cloud.host.listen(end)
    calls, watch = [], Watch(cloud)
    with fetching_packages(cloud, reach):
        for number, file in enumerate(files):
            took.clear()
            key = f"tune/{number}/{file.name}"
            cloud.client("s3").upload_file(
                str(file), NAMES.bucket("ingest"), key, ExtraArgs={"Metadata": metadata}
            )
            reason = _ended(watch, key)
            if not took:
                raise InvalidOptions(f"{file}: {product.name} did not use {row.name}: {reason}")
            slowest = max(took, key=lambda payload: took[payload])
            calls.append(Call(slowest, began[slowest]))
    return Task(cloud, function, tuple(calls))


def product_of(blueprint: Blueprint, row: ModelRow) -> tuple[Product, Role]:
    """Return the first product with a role for the model. Raises InvalidOptions if there is none.

    Models that need prompts have none: nobody points at anything in a file.
    """
    if row.takes_prompts:
        raise InvalidOptions(f"{row.name} needs points or boxes: tune it without --input")
    for product in blueprint.products:
        for role in product.roles.values():
            if role.container == row.container and role.engine in {None, row.engine.name}:
                return product, role
    raise InvalidOptions(f"no product uses {row.name}: tune it without --input")


def _metadata(product: Product, role: Role, row: ModelRow) -> dict[str, str]:
    """Return what an upload says so that its product uses the model."""
    asked = {"product": product.name} if product.on_request else {}
    if role.when:
        asked[role.when] = "true"
    if role.option:
        asked[role.option] = row.name
    return {f"matteline-{name}".replace("_", "-"): text for name, text in asked.items()}


def measure(root: Path, task: Task, memory_mb: int, *, repeats: int) -> Size:
    """Call the function in a process with this memory: once cold and `repeats` times warm.

    Time and CPU-seconds are the mean of the inputs, each with its fastest call. A process that
    exceeds its memory is killed, which is the result.
    """
    threads = min(threads_with(memory_mb), hardware.cores())
    function = replace(
        task.function,
        memory_mb=memory_mb,
        timeout_s=task.function.timeout_s * _SLOWER,
        environment={**task.function.environment, "MATTELINE_THREADS": str(threads)},
    )
    with _process_of(root, function) as trial:
        if (error := trial.worker.initialised()) is not None:
            return Size(memory_mb, error=trial.named(error))
        start_s = time.perf_counter() - trial.started
        # The first call of all loads the model; further payloads find it loaded.
        rounds = []
        for call in task.calls:
            calls = []
            for _ in range(repeats + 1):
                task.prepare(call)
                spent = trial.call(call.payload, threads)
                if isinstance(spent, str):
                    return Size(memory_mb, peak_mb=trial.limit.peak_mb or None, error=spent)
                calls.append(spent)
            rounds.append(calls)
        return _summed(memory_mb, rounds, start_s=start_s, peak_mb=trial.limit.peak_mb)


def _summed(
    memory_mb: int, rounds: Sequence[Sequence[Spent]], *, start_s: float, peak_mb: float
) -> Size:
    fastest = [min(calls[1:], key=lambda call: call.on_lambda(memory_mb)) for calls in rounds]
    seconds = sum(call.on_lambda(memory_mb) for call in fastest) / len(fastest)
    return Size(
        memory_mb,
        seconds=seconds,
        peak_mb=round(peak_mb, 1),
        cpu_s=sum(call.cpu_s for call in fastest) / len(fastest),
        start_s=start_s,
        load_s=max(0.0, rounds[0][0].on_lambda(memory_mb) - fastest[0].on_lambda(memory_mb)),
        calculated=cpus_with(memory_mb) != fastest[0].threads,
    )


@dataclass(frozen=True)
class _Trial:
    worker: Worker
    limit: MemoryLimit
    arn: str
    started: float

    def call(self, payload: bytes, threads: int) -> Spent | str:
        """Return what a call took, or the name of its error.

        Time in which other processes had the CPU does not count.
        """
        pid = self.worker.pid
        cpu_s, delayed, started = cpu_seconds(pid), delayed_s(pid), time.perf_counter()
        answer = self.worker.invoke(payload, self.arn)
        seconds = time.perf_counter() - started
        if answer.failed:
            return self.named(answer)
        undisturbed = seconds - (delayed_s(pid) - delayed)
        return Spent(undisturbed, cpu_seconds(pid) - cpu_s, threads)

    def named(self, answer: Answer) -> str:
        return OUT_OF_MEMORY if self.limit.exceeded else json.loads(answer.payload)["errorType"]


@contextmanager
def _process_of(root: Path, function: Function) -> Iterator[_Trial]:
    """Start a process as Lambda does, from nothing: a fork of a warm one would start faster."""
    with tempfile.TemporaryFile() as log:
        started = time.perf_counter()
        worker = Worker(function, launcher=SourceLauncher(root), log=log)
        limit = MemoryLimit(worker.pid, function.memory_mb)
        try:
            yield _Trial(worker, limit, NAMES.arn("lambda") + f":function:{function.name}", started)
        finally:
            limit.stop()
            worker.stop()


def require_measurable(row: ModelRow) -> None:
    """Raise ModelNotOffered or InvalidOptions for what cannot be measured on this machine."""
    if row.hosted:
        raise ModelNotOffered(f"Amazon Bedrock runs {row.name}: its function waits for it")
    if not MEASURABLE:
        raise InvalidOptions("CPU-seconds of a process can be read on Linux only: pass --stage")


def container_folder(root: Path, container: str) -> Path:
    """Return the folder of a container, which has its golden event and its models."""
    return root / "containers" / container.replace("-", "_")


def _work_keys(cloud: LocalCloud) -> frozenset[str]:
    pages = cloud.client("s3").get_paginator("list_objects_v2")
    listed = pages.paginate(Bucket=NAMES.bucket("work"))
    return frozenset(each["Key"] for page in listed for each in page.get("Contents", ()))


def _function(cloud: LocalCloud, row: ModelRow) -> Function:
    return cloud.host.function(NAMES.function(row.container, row.name))


def _ended(watch: Watch, key: str) -> str:
    """Wait for the end of the execution of a key; return why it failed, or an empty text."""
    while True:
        for ended in watch.ended():
            if ended.key == key and not ended.handed_to:
                return ended.reason
        time.sleep(_LOOK_AGAIN_S)

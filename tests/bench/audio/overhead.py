"""What the platform adds to the tasks: a recording of 60 seconds on a warm local cloud.

It is the wall time of the execution without the time in which a function of it is at work, as the
execution's history says; tasks at the same time count once.
"""

from __future__ import annotations

import json
import queue
import statistics
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import Any, Final, NamedTuple

from pipeline.declared.blueprint import Blueprint
from pipeline.local.cloud import LocalCloud, local_cloud
from pipeline.local.deployment import NAMES, warm_functions
from pipeline.operations.executions import Execution
from pipeline.operations.history import Visit, read_history
from pipeline.operations.site import local_site
from pipeline.session.choice import cache_folder
from tests.bench.audio.recordings import TWO_LANGUAGES, kept_weights, recording
from tests.bench.figures import Figures
from tests.conftest import ROOT

_PRODUCT: Final = "transcript"
_ROUNDS: Final = 5
_MOST_MS: Final = 300
_INVOKE: Final = "arn:aws:states:::lambda:invoke"


class _Run(NamedTuple):
    """One execution's times, in ms: from PutObject to its start, to its end, and of functions."""

    start: float
    wall: float
    functions: float


def main() -> None:
    content = recording(TWO_LANGUAGES).read_bytes()
    for model in ("silero-vad", "whisper-base"):
        kept_weights(model)
    blueprint = Blueprint.read(ROOT)
    mirror = str(cache_folder())
    with local_cloud(blueprint, weights_mirror=mirror, products=(_PRODUCT,)) as cloud:
        cloud.host.warm(warm_functions(blueprint, (_PRODUCT,)))
        # Each a little different, so that none is a duplicate. The first stages the weights.
        ended = queue.SimpleQueue[Execution]()
        cloud.ends.listen(ended.put)
        runs = [_run(cloud, ended, content + bytes([index])) for index in range(1 + _ROUNDS)][1:]
    figures = Figures(f"Platform, warm: a recording of 60 s, median of {_ROUNDS}, in ms")
    for name, values in (
        ("from PutObject to the start", [run.start for run in runs]),
        ("the execution", [run.wall for run in runs]),
        ("of it, its functions", [run.functions for run in runs]),
    ):
        figures.add(name, f"{statistics.median(values):,.0f}")
    added = statistics.median(run.wall - run.functions for run in runs)
    figures.at_most("of it, the platform", added, _MOST_MS, form=".0f")
    figures.show()


def _run(cloud: LocalCloud, ended: queue.SimpleQueue[Execution], content: bytes) -> _Run:
    key = f"bench/{content[-1]}.mp3"
    place = {"Bucket": NAMES.bucket("ingest"), "Key": key}
    dropped = datetime.now().astimezone()
    cloud.client("s3").put_object(**place, Body=content)
    while (execution := ended.get()).key != key:
        pass
    told = cloud.client("stepfunctions").describe_execution(executionArn=execution.arn)
    if told["status"] != "SUCCEEDED":
        raise SystemExit(f"{told['error']}: {told['cause']}")
    site = local_site(NAMES, cloud.endpoint, cloud.blueprint.products)
    invoked = set(_invoking(json.loads((ROOT / "state_machines/transcript.asl.json").read_text())))
    visits = [visit for visit in read_history(site, execution.arn) if visit.state in invoked]
    return _Run(
        _ms(told["startDate"] - dropped), _ms(told["stopDate"] - told["startDate"]), busy_ms(visits)
    )


def _invoking(definition: Any) -> Iterator[str]:
    """Yield the names of all states that invoke a function, those inside others included."""
    if isinstance(definition, dict):
        for name, value in definition.items():
            if isinstance(value, dict) and value.get("Resource") == _INVOKE:
                yield name
            yield from _invoking(value)
    elif isinstance(definition, list):
        for each in definition:
            yield from _invoking(each)


def busy_ms(visits: Sequence[Visit]) -> float:
    """Return for how long at least one of the states was entered and not left."""
    busy, until = timedelta(), None
    for visit in sorted(visits, key=lambda each: each.entered):
        if visit.ms is None:
            raise ValueError(f"{visit.state} was not left")
        left = visit.entered + timedelta(milliseconds=visit.ms)
        began = visit.entered if until is None else max(visit.entered, until)
        busy += max(left - began, timedelta())
        until = left if until is None else max(left, until)
    return _ms(busy)


def _ms(duration: timedelta) -> float:
    return duration.total_seconds() * 1000

"""Hours of audio through the local cloud, with speakers and tags: memory, state, time and money.

The recording is made of dialogues. Half way, the execution is stopped and every worker of the
functions that listen is killed. Then the execution is started again under its name: moto has no
redrive, and this is more than one, because all states run again, from the first on.
MINUTES=10 measures another length than two hours.
"""

from __future__ import annotations

import json
import os
import queue
import signal
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from moto.stepfunctions.parser.models import stepfunctions_parser_backends

from pipeline.cli.report import console
from pipeline.contracts.contract import metadata_name
from pipeline.declared.blueprint import Blueprint
from pipeline.declared.costs import DOLLARS_PER_GB_S
from pipeline.local.cloud import LocalCloud, local_cloud
from pipeline.local.deployment import NAMES
from pipeline.operations.executions import Execution
from pipeline.session.choice import cache_folder
from tests import yamnet_weights
from tests.bench.audio.der import errors
from tests.bench.audio.dialogues import write_hours
from tests.bench.audio.recordings import kept_weights
from tests.bench.audio.rttm import Turn, read_rttm
from tests.bench.audio.speakers import MODEL
from tests.bench.audio.voices import real_voices
from tests.bench.figures import Figures, Missing
from tests.conftest import ROOT

_MINUTES: Final = int(os.environ.get("MINUTES") or 120)
_RATE: Final = 48_000
_TAGGER: Final = "yamnet-8-bits"
_PEOPLE: Final = ("reader", "speaker90", "speaker91")
_KEY: Final = "bench/hours.flac"
_LISTENING: Final = ("transcriber", "diarizer", "audio-tagger")
_POLL_S: Final = 1.0
_PATIENCE_S: Final = 2 * 3600
_TRANSCRIBE_USD: Final = 0.024  # Amazon Transcribe, a minute, us-east-1, the first 250,000


@dataclass
class Use:
    """What a function's processes took, by process ID, those that were killed too."""

    peak_mb: dict[int, float] = field(default_factory=dict)
    cpu_s: dict[int, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Outcome:
    """An execution that ended, and what was seen of it on its way."""

    seconds: float
    used: Mapping[str, Use]
    kept: int  # windows and parts that were there when the workers were killed
    made_again: int  # of them
    all_made: int
    most_state: int  # bytes


def main() -> None:
    if why := yamnet_weights.missing():
        raise Missing(why)
    for model in ("silero-vad", "whisper-base", MODEL):
        kept_weights(model)
    people = [voice for voice in real_voices() if voice.name in _PEOPLE]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        catalogue = folder / "catalogue.toml"
        catalogue.write_text(yamnet_weights.stock_yamnet(folder, _TAGGER))
        blueprint = Blueprint.read(ROOT, overlays=(catalogue,), accepted_licences=("unstated",))
        turns = write_hours(folder / "hours.flac", people, seconds=_MINUTES * 60, rate=_RATE)
        with local_cloud(
            blueprint, weights_mirror=str(cache_folder()), products=("transcript",)
        ) as cloud:
            outcome = _run(cloud, folder / "hours.flac")
            found = read_rttm(_output(cloud, "_speakers.rttm"))
            words = len(json.loads(_output(cloud, "_transcript.json"))["word_segments"])
    _show(blueprint, outcome, turns, found, words)


def _run(cloud: LocalCloud, recording: Path) -> Outcome:
    ended = queue.SimpleQueue[Execution]()
    cloud.ends.listen(ended.put)
    began = time.monotonic()
    options = {
        "model": "whisper-base", "diarize": "true", "speaker_model": MODEL, "tags": "true",
        "tag_model": _TAGGER,
    }  # fmt: skip
    metadata = {metadata_name(option): text for option, text in options.items()}
    with _watching(cloud) as used:
        cloud.client("s3").upload_file(
            str(recording), NAMES.bucket("ingest"), _KEY, ExtraArgs={"Metadata": metadata}
        )
        _until(lambda: _made(cloud) and 2 * len(_made(cloud)) >= _asked(cloud), "the middle")
        arn = _running(cloud)
        _stop(cloud, arn)
        before = _made(cloud)
        console().print(f"hours: {len(before)} windows and parts made; stopped, workers killed")
        while ended.get(timeout=_PATIENCE_S).arn != arn:
            pass
        _start_again(cloud, arn)
        while ended.get(timeout=_PATIENCE_S).arn != arn:
            pass
        seconds = time.monotonic() - began
        after = _made(cloud)
        told = cloud.client("stepfunctions").describe_execution(executionArn=arn)
        if told["status"] != "SUCCEEDED":
            raise SystemExit(f"{told.get('error')}: {told.get('cause')}")
    return Outcome(
        seconds=seconds,
        used=used,
        kept=len(before),
        made_again=sum(after[key] != at for key, at in before.items()),
        all_made=len(after),
        most_state=max(map(_state_bytes, _events(cloud, arn))),
    )


def _made(cloud: LocalCloud) -> dict[str, datetime]:
    """Return when the transcripts of windows, and the speakers of parts, were written, by key."""
    return {
        each["Key"]: each["LastModified"]
        for each in _work(cloud)
        if "/windows/" in each["Key"] or "/speakers/" in each["Key"]
    }


def _asked(cloud: LocalCloud) -> int:
    """Return how many windows and parts the recording has."""
    windows = sum("/speech/" in each["Key"] for each in _work(cloud))
    return windows + -(-_MINUTES // 30)


def _work(cloud: LocalCloud) -> Iterator[Any]:
    pages = cloud.client("s3").get_paginator("list_objects_v2")
    for page in pages.paginate(Bucket=NAMES.bucket("work")):
        yield from page.get("Contents", [])


def _output(cloud: LocalCloud, suffix: str) -> str:
    key = _KEY.removesuffix(".flac") + suffix
    answer = cloud.client("s3").get_object(Bucket=NAMES.bucket("output"), Key=key)
    return str(answer["Body"].read().decode())


def _until(seen: Callable[[], object], what: str) -> None:
    deadline = time.monotonic() + _PATIENCE_S
    while not seen():
        if time.monotonic() > deadline:
            raise SystemExit(f"{what} was not reached")
        time.sleep(_POLL_S)


def _running(cloud: LocalCloud) -> str:
    (found,) = cloud.client("stepfunctions").list_executions(
        stateMachineArn=NAMES.machine_arn("transcript"), statusFilter="RUNNING"
    )["executions"]
    return str(found["executionArn"])


def _stop(cloud: LocalCloud, arn: str) -> None:
    """Stop an execution, and kill the functions that are at work for it."""
    cloud.client("stepfunctions").stop_execution(executionArn=arn)
    for function in cloud.blueprint.functions:
        if function.manifest.name in _LISTENING:
            for pid in cloud.host.worker_pids(function.name(NAMES)):
                os.kill(pid, signal.SIGKILL)


def _start_again(cloud: LocalCloud, arn: str) -> None:
    """Start an execution with the name and input of one that ended, which moto then forgets."""
    told = cloud.client("stepfunctions").describe_execution(executionArn=arn)
    machine = stepfunctions_parser_backends[NAMES.account][NAMES.region].describe_state_machine(
        told["stateMachineArn"]
    )
    machine.executions[:] = [each for each in machine.executions if each.execution_arn != arn]
    cloud.client("stepfunctions").start_execution(
        stateMachineArn=told["stateMachineArn"], name=told["name"], input=told["input"]
    )


@contextmanager
def _watching(cloud: LocalCloud) -> Iterator[dict[str, Use]]:
    """Read memory and processor time of all workers once a second, by function."""
    used: dict[str, Use] = {}
    done = threading.Event()

    def watch() -> None:
        while not done.wait(_POLL_S):
            for function in cloud.blueprint.functions:
                name = function.name(NAMES)
                for pid in cloud.host.worker_pids(name):
                    _note(used.setdefault(name, Use()), pid)

    thread = threading.Thread(target=watch)
    thread.start()
    try:
        yield used
    finally:
        done.set()
        thread.join()


def _note(use: Use, pid: int) -> None:
    try:
        status = Path(f"/proc/{pid}/status").read_text()
        times = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return
    peaks = [line.split()[1] for line in status.splitlines() if line.startswith("VmHWM:")]
    if peaks:  # a process that has ended and was not waited for has no memory
        use.peak_mb[pid] = int(peaks[0]) / 1024
        use.cpu_s[pid] = (int(times[11]) + int(times[12])) / os.sysconf("SC_CLK_TCK")


def _events(cloud: LocalCloud, arn: str) -> Iterator[Any]:
    pages = cloud.client("stepfunctions").get_paginator("get_execution_history")
    for page in pages.paginate(executionArn=arn):
        yield from page["events"]


def _state_bytes(event: Any) -> int:
    details = (value for name, value in event.items() if name.endswith("Details"))
    return max(
        (len(each.get(end, "")) for each in details for end in ("input", "output")), default=0
    )


def _show(
    blueprint: Blueprint, outcome: Outcome, turns: tuple[Turn, ...], found: list[Turn], words: int
) -> None:
    hours = _MINUTES / 60
    figures = Figures(f"{_MINUTES} minutes: 48 kHz, speakers and tags, Whisper base")
    figures.add("wall time, s", f"{outcome.seconds:,.0f}")
    memory_mb = {each.name(NAMES): each.memory_mb for each in blueprint.functions}
    dollars = 0.0
    for name, use in sorted(outcome.used.items()):
        if not use.peak_mb:
            continue
        short, gb = name.removeprefix(f"{NAMES.prefix}-"), memory_mb[name] / 1024
        cpu_s = sum(use.cpu_s.values()) / hours
        dollars += cpu_s * gb * DOLLARS_PER_GB_S
        figures.add(f"{short}: peak of a process, MB", f"{max(use.peak_mb.values()):.0f}")
        figures.add("  CPU-seconds for an hour of audio", f"{cpu_s:,.1f}")
        cost = f"${cpu_s * gb * DOLLARS_PER_GB_S:.4f}"
        figures.add(f"  × {gb:.2f} GB × ${DOLLARS_PER_GB_S:.10f}", cost)
    figures.add("all functions, CPU-seconds for an hour", f"{_cpu_s(outcome) / hours:,.0f}")
    figures.add("$ for an hour of audio", f"{dollars:.3f}", f"{60 * _TRANSCRIBE_USD:.2f}")
    figures.add("largest state, KB", f"{outcome.most_state / 1024:.1f}")
    figures.add("words", f"{words:,}")
    figures.add("diarization errors, %", f"{errors(turns, found, collar_s=0).rate:.1f}")
    said, heard = ({turn.speaker for turn in each} for each in (turns, found))
    figures.add("speakers found, of those who speak", f"{len(heard)} of {len(said)}")
    figures.add("windows and parts", str(outcome.all_made))
    figures.add("finished when the execution was stopped", str(outcome.kept))
    figures.at_most("  of them, made again", outcome.made_again, 0, form=".0f")
    figures.show()


def _cpu_s(outcome: Outcome) -> float:
    return sum(sum(use.cpu_s.values()) for use in outcome.used.values())

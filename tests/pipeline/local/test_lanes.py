"""Uploads' calls go before those of a backfill, which neither starve nor deadlock."""

from __future__ import annotations

import contextlib
import functools
import json
import os
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any, Final

import pytest

from pipeline.compute import Lane
from pipeline.local.lambda_host import LambdaHost
from pipeline.local.lanes import NICE, Courtesy, Places, lane_reader
from pipeline.local.source_launcher import SourceLauncher
from pipeline.local.worker import Function
from tests.conftest import ROOT

PATIENCE_S: Final = 10
LANE_OF: Final[Callable[[bytes], Lane]] = lambda payload: json.loads(payload)["lane"]  # noqa: E731


class Turns:
    """Takes places in threads, and holds each until it is told to leave."""

    def __init__(self, places: Places, threads: ThreadPoolExecutor) -> None:
        self._places, self._threads = places, threads
        self.order: list[str] = []
        self._leave: dict[str, threading.Event] = {}
        self._asked: list[Future[None]] = []

    def ask(self, name: str, lane: Lane) -> None:
        self._leave[name] = threading.Event()
        self._asked.append(self._threads.submit(self._take, name, lane))

    def _take(self, name: str, lane: Lane) -> None:
        with self._places.place(lane):
            self.order.append(name)
            assert self._leave[name].wait(PATIENCE_S)

    def leave(self, name: str) -> None:
        self._leave[name].set()

    def settle(self, *names: str) -> None:
        """Wait until these have places, and give others the time to take one."""
        deadline = time.monotonic() + PATIENCE_S
        while not {*names} <= {*self.order}:
            assert time.monotonic() < deadline, self.order
            time.sleep(0.01)
        time.sleep(0.1)

    def end(self) -> None:
        for leave in self._leave.values():
            leave.set()
        for asked in self._asked:
            asked.result(PATIENCE_S)


@pytest.fixture
def turns_of() -> Iterator[Callable[[Places], Turns]]:
    with ThreadPoolExecutor(16) as threads, contextlib.ExitStack() as stack:

        def make(places: Places) -> Turns:
            turns = Turns(places, threads)
            stack.callback(turns.end)
            return turns

        yield make


def test_a_waiting_upload_goes_before_the_backfills_that_waited_longer(
    turns_of: Callable[[Places], Turns],
) -> None:
    turns = turns_of(Places(1))
    turns.ask("first", "backfill")
    turns.settle("first")
    turns.ask("second", "backfill")
    turns.settle()
    turns.ask("upload", "uploads")
    turns.settle()

    turns.leave("first")
    turns.settle("upload")

    assert turns.order == ["first", "upload"]
    turns.leave("upload")
    turns.settle("second")


def test_a_backfill_leaves_a_place_free(turns_of: Callable[[Places], Turns]) -> None:
    turns = turns_of(Places(3))
    for name in ("a", "b", "c", "d"):
        turns.ask(name, "backfill")
    turns.settle("a", "b")

    assert len(turns.order) == 2
    turns.ask("upload", "uploads")
    turns.settle("upload")


def test_uploads_take_every_place(turns_of: Callable[[Places], Turns]) -> None:
    turns = turns_of(Places(2))
    for name in ("a", "b"):
        turns.ask(name, "uploads")

    turns.settle("a", "b")


def test_uploads_do_not_wait_for_a_backfills_call_where_there_may_be_more(
    turns_of: Callable[[Places], Turns],
) -> None:
    turns = turns_of(Places(2, most=3))
    turns.ask("old", "backfill")
    turns.settle("old")
    for name in ("a", "b", "c"):
        turns.ask(name, "uploads")
    turns.settle()

    assert len(turns.order) == 3
    assert turns.order[0] == "old"


def test_no_more_calls_run_than_may(turns_of: Callable[[Places], Turns]) -> None:
    turns = turns_of(Places(2, most=2))
    turns.ask("old", "backfill")
    turns.settle("old")
    for name in ("a", "b"):
        turns.ask(name, "uploads")
    turns.settle()

    assert len(turns.order) == 2


def test_a_backfill_that_waits_too_long_waits_as_an_upload(
    turns_of: Callable[[Places], Turns],
) -> None:
    """One upload stays for ever, and the only other place is free."""
    turns = turns_of(Places(2, patience_s=0.3))
    turns.ask("long", "uploads")
    turns.settle("long")
    turns.ask("old", "backfill")
    turns.settle()
    assert turns.order == ["long"]

    turns.settle("old")


def test_places_are_given_back_by_calls_that_fail() -> None:
    places = Places(1)
    for lane in ("uploads", "backfill") * 3:
        with contextlib.suppress(ValueError), places.place(lane):
            raise ValueError


@pytest.fixture
def host_of(tmp_path: Path) -> Iterator[Callable[..., LambdaHost]]:
    hosts: list[LambdaHost] = []

    def start(concurrency: int, workers: int | None = None) -> LambdaHost:
        handler = "tests.pipeline.local.handlers.obey"
        function = Function("obedient", handler, memory_mb=256, timeout_s=20, workers=workers)
        host = LambdaHost(
            [function],
            launcher=SourceLauncher(ROOT),
            logs=tmp_path,
            concurrency=concurrency,
            lane_of=LANE_OF,
        )
        hosts.append(host)
        return host

    yield start
    for host in hosts:
        host.stop()


def call(host: LambdaHost, lane: Lane, **event: Any) -> int:
    """Return the pid of the worker that answers."""
    payload = json.dumps({"lane": lane, "do": "sleep", "seconds": 0, **event}).encode()
    answer = host.invoke("obedient", payload, function_arn="arn:obedient")
    assert not answer.failed, answer.payload
    return int(json.loads(answer.payload)["pid"])


OURS: Final = os.getpriority(os.PRIO_PROCESS, 0)
LOWER: Final = min(19, OURS + NICE) - OURS  # the tests may have a low priority themselves


def priority(pid: int) -> int:
    return os.getpriority(os.PRIO_PROCESS, pid) - OURS


def test_a_backfills_workers_have_a_low_priority_and_uploads_have_others(
    host_of: Callable[..., LambdaHost],
) -> None:
    host = host_of(2)

    upload, backfill = call(host, "uploads"), call(host, "backfill")

    assert upload != backfill
    assert priority(upload) == 0
    assert priority(backfill) == LOWER
    assert (call(host, "uploads"), call(host, "backfill")) == (upload, backfill)


def test_there_are_never_more_workers_than_places(host_of: Callable[..., LambdaHost]) -> None:
    host = host_of(2)
    first = call(host, "backfill")

    with ThreadPoolExecutor() as threads:
        uploads = set(threads.map(lambda _: call(host, "uploads", seconds=0.5), range(2)))

    assert first not in uploads
    assert set(host.worker_pids("obedient")) == uploads
    again = call(host, "backfill")
    assert priority(again) == LOWER
    assert len(host.worker_pids("obedient")) == 2


def test_uploads_keep_their_workers_where_there_is_room(
    host_of: Callable[..., LambdaHost],
) -> None:
    host = host_of(2, workers=4)
    with ThreadPoolExecutor() as threads:
        uploads = set(threads.map(lambda _: call(host, "uploads", seconds=0.5), range(2)))
    backfill = call(host, "backfill")

    with ThreadPoolExecutor() as threads:
        again = set(threads.map(lambda _: call(host, "uploads", seconds=0.5), range(2)))

    assert again == uploads
    assert call(host, "backfill") == backfill


def test_one_place_serves_both_lanes_and_its_worker_is_not_slow_for_uploads(
    host_of: Callable[..., LambdaHost],
) -> None:
    host = host_of(1)
    call(host, "backfill")

    upload = call(host, "uploads")

    assert priority(upload) == 0
    assert (call(host, "backfill"), call(host, "uploads")) == (upload, upload)
    with ThreadPoolExecutor(8) as threads:
        lanes: list[Lane] = ["backfill", "uploads"]
        pids = list(threads.map(lambda number: call(host, lanes[number % 2]), range(8)))
    assert set(pids) == {upload}


@pytest.mark.parametrize(
    ("payload", "lane"),
    [
        (b'{"execution": "arn:old"}', "backfill"),
        (b'{"execution": "arn:new"}', "uploads"),
        (b'{"execution": "arn:nobody"}', "uploads"),
        (b'{"execution": 5}', None),
        (b'{"lane": "backfill"}', None),
        (b"[]", None),
        (b"{", None),
    ],
    ids=["backfill", "upload", "unknown", "number", "no-execution", "array", "not-json"],
)
def test_a_calls_lane_is_that_of_the_execution_it_belongs_to(
    payload: bytes, lane: Lane | None
) -> None:
    inputs = {"arn:old": {"key": "a", "lane": "backfill"}, "arn:new": {"detail-type": "x"}}

    assert lane_reader(inputs.get)(payload) == lane


class Calls:
    """Calls that a host would make, each in a thread; `began` has those that were let go."""

    def __init__(self, courtesy: Courtesy, threads: ThreadPoolExecutor) -> None:
        self._courtesy, self._threads = courtesy, threads
        self._ends: dict[str, threading.Event] = {}
        self.began: list[str] = []

    def begin(self, name: str, lane: Lane | None) -> None:
        self._ends[name] = threading.Event()
        self._threads.submit(self._run, name, lane)

    def _run(self, name: str, lane: Lane | None) -> None:
        with self._courtesy.call(lane):
            self.began.append(name)
            self._ends[name].wait()

    def end(self, *names: str) -> None:
        for name in names or self._ends:
            self._ends[name].set()

    def settle(self, *names: str) -> None:
        """Wait until these began, in this order, and give others the time to begin."""
        deadline = time.monotonic() + PATIENCE_S
        while len(self.began) < len(names):
            assert time.monotonic() < deadline, self.began
            time.sleep(0.01)
        time.sleep(0.1)
        assert self.began == [*names]


@pytest.fixture
def calls_of() -> Iterator[Callable[..., Calls]]:
    with ThreadPoolExecutor(8) as threads, contextlib.ExitStack() as stack:

        def make(*, young_s: float = 60, pause_s: float = 0, patience_s: float = 60) -> Calls:
            courtesy = Courtesy(young_s=young_s, pause_s=pause_s, patience_s=patience_s)
            calls = Calls(courtesy, threads)
            stack.callback(calls.end)
            return calls

        yield make


def test_a_backfill_waits_until_every_upload_is_through(calls_of: Callable[..., Calls]) -> None:
    calls = calls_of()
    calls.begin("one", "uploads")
    calls.settle("one")
    calls.begin("two", "uploads")
    calls.settle("one", "two")
    calls.begin("old", "backfill")
    calls.settle("one", "two")
    calls.end("one")
    calls.settle("one", "two")

    calls.end("two")
    calls.settle("one", "two", "old")


def test_a_backfill_waits_between_two_calls_of_an_upload(calls_of: Callable[..., Calls]) -> None:
    calls = calls_of(pause_s=2)
    calls.begin("one", "uploads")
    calls.settle("one")
    calls.end("one")
    calls.begin("old", "backfill")
    calls.settle("one")

    calls.settle("one", "old")


@pytest.mark.parametrize("times", [{"young_s": 2}, {"patience_s": 2}], ids=["long", "patience"])
def test_a_long_call_of_an_upload_does_not_hold_a_backfill_back(
    calls_of: Callable[..., Calls], times: dict[str, float]
) -> None:
    calls = calls_of(**times)
    calls.begin("long", "uploads")
    calls.settle("long")
    calls.begin("old", "backfill")
    calls.settle("long")

    calls.settle("long", "old")


def test_calls_of_no_execution_neither_wait_nor_let_others_wait(
    calls_of: Callable[..., Calls],
) -> None:
    calls = calls_of()
    calls.begin("page", None)
    calls.settle("page")
    calls.begin("old", "backfill")
    calls.settle("page", "old")
    calls.begin("upload", "uploads")
    calls.settle("page", "old", "upload")

    calls.begin("page again", None)
    calls.settle("page", "old", "upload", "page again")


def test_a_call_that_fails_is_through() -> None:
    courtesy = Courtesy(young_s=60, pause_s=0, patience_s=60)
    with contextlib.suppress(ValueError), courtesy.call("uploads"):
        raise ValueError

    with courtesy.call("backfill"):
        pass


def test_a_backfills_call_waits_though_there_is_a_place(
    host_of: Callable[..., LambdaHost], monkeypatch: pytest.MonkeyPatch
) -> None:
    short = functools.partial(Courtesy, pause_s=60, patience_s=2)
    monkeypatch.setattr("pipeline.local.lambda_host.Courtesy", short)
    host = host_of(2)
    call(host, "backfill")  # its worker is warm, so that the next call would end at once
    call(host, "uploads")

    with ThreadPoolExecutor(1) as threads:
        waiting = threads.submit(call, host, "backfill")
        with pytest.raises(TimeoutError):
            waiting.result(1)
        waiting.result(PATIENCE_S)

"""Turn the events of an execution's history into the states that it entered.

Every event names the one before it in its own branch, so states of a Parallel's branches and of a
Map's iterations are told apart although their events are mixed.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Final, Literal, NamedTuple

StateStatus = Literal["succeeded", "failed", "caught", "running", "aborted"]
_TRIES: Final = frozenset(
    {
        "TaskScheduled",
        "LambdaFunctionScheduled",
        "ActivityScheduled",
        "MapStateStarted",
        "ParallelStateStarted",
    }
)
_FAILED: Final = ("Failed", "TimedOut")
_INNER_FAILURES: Final = frozenset({"MapStateFailed", "ParallelStateFailed"})
_ITERATION_ENDS: Final = frozenset(
    {"MapIterationSucceeded", "MapIterationFailed", "MapIterationAborted"}
)
_ARN: Final = "ExecutionArn"


@dataclass(frozen=True)
class StateError:
    """Why one attempt failed."""

    error: str
    cause: str
    at: datetime


@dataclass(eq=False)
class StateVisit:
    """One stay in a state, of a kind such as `Task`.

    `path` names the enclosing branches and iterations: `AnalyseAudio[0]`, `Transcribe[3]`. `given`
    and `result` are JSON texts, None if unknown. `function` is the name or ARN of the function
    that it called, `job` the definition of the job of AWS Batch that it ran, and `child` the ARN of
    an execution that it started.
    """

    id: int
    name: str
    path: tuple[str, ...]
    kind: str
    entered: datetime
    given: str | None
    attempts: int = 0
    errors: list[StateError] = field(default_factory=list)
    function: str | None = None
    job: str | None = None
    child: str | None = None
    left: datetime | None = None
    result: str | None = None
    status: StateStatus = "running"
    failing: bool = False  # its last attempt has failed


class _Frame(NamedTuple):
    """An iteration of a Map, or a branch of a Parallel, that states are in."""

    visit: StateVisit
    number: int

    @property
    def text(self) -> str:
        return f"{self.visit.name}[{self.number}]"


class _Place(NamedTuple):
    """Where an event is: in which frames, and in which state, if it is in one."""

    frames: tuple[_Frame, ...] = ()
    visit: StateVisit | None = None
    branching: bool = False  # the next event of each branch comes right after it


class History:
    """The states of an execution, from the events of its history, which are added in order."""

    def __init__(self, definition: str) -> None:
        self.visits: list[StateVisit] = []
        self._declared = dict(_states(json.loads(definition)))
        self._open: dict[int, StateVisit] = {}
        self._places: dict[int, _Place] = {}
        self._inner: dict[tuple[str, ...], StateError] = {}  # the last one in a Map or Parallel

    def add(self, event: Mapping[str, Any]) -> None:
        """Add the next event."""
        before = self._places.get(event["previousEventId"], _Place())
        self._places[event["id"]] = self._place(event, details_of(event), before)

    def end(self, status: str, error: str | None, cause: str | None, at: datetime) -> None:
        """Settle the states that were never left, by how the execution ended."""
        last = self.visits[-1] if self.visits else None
        if last and last.kind == "Fail" and not last.path:
            last.errors = [StateError(error or "", cause or "", at)]
        self._abandon(list(self._open.values()), at, stopped=status != "FAILED")

    def _place(self, event: Mapping[str, Any], told: Mapping[str, Any], before: _Place) -> _Place:
        kind, at = str(event["type"]), event["timestamp"]
        if kind.endswith("StateEntered"):
            return self._enter(event, told, before)
        if kind.endswith("StateExited"):
            return self._leave(told, before, at)
        if kind == "MapIterationStarted":
            return _iterate(told, before)
        if kind in _ITERATION_ENDS:
            self._end_iteration(told, before, at)
            return _Place(before.frames)
        visit = _subject(kind, before)
        if visit is not None:
            self._note(visit, kind, told, at)
        if kind == "ParallelStateStarted":
            return _Place(before.frames, visit, branching=True)
        return before._replace(branching=False)

    def _enter(self, event: Mapping[str, Any], told: Mapping[str, Any], before: _Place) -> _Place:
        frames, name = before.frames, str(told["name"])
        declared = self._declared.get(name, _UNKNOWN)
        if before.branching and before.visit is not None:
            frames = (*frames, _Frame(before.visit, declared.branch))
        visit = StateVisit(
            id=event["id"],
            name=name,
            path=tuple(frame.text for frame in frames),
            kind=event["type"].removesuffix("StateEntered"),
            entered=event["timestamp"],
            given=told.get("input"),
        )
        if visit.kind == "Fail":
            self._fail(visit, declared.failure(visit))
        self.visits.append(visit)
        self._open[visit.id] = visit
        return _Place(frames, visit)

    def _leave(self, told: Mapping[str, Any], before: _Place, at: datetime) -> _Place:
        found = _named(str(told["name"]), before)
        if found is None:
            return before
        visit, frames = found
        visit.left, visit.result = at, told.get("output")
        self._open.pop(visit.id, None)
        self._abandon(self._inside(visit), at)
        visit.status = "caught" if visit.failing else "succeeded"
        return _Place(frames)

    def _note(self, visit: StateVisit, kind: str, told: Mapping[str, Any], at: datetime) -> None:
        """Note an attempt, its failure, or what it started."""
        if kind in _TRIES:
            visit.attempts += 1
            visit.failing = False
            visit.function = _parameter(told, "lambda", "FunctionName") or visit.function
            visit.job = _parameter(told, "batch", "JobDefinition") or visit.job
        elif kind in _INNER_FAILURES:
            if not visit.failing:
                inner = self._inner.get((*visit.path, visit.name), StateError(kind, "", at))
                self._fail(visit, replace(inner, at=at))
            self._abandon(self._inside(visit), at)
        elif kind.endswith(_FAILED) and not kind.startswith("Execution"):
            error, cause = told.get("error") or kind, told.get("cause") or ""
            self._fail(visit, StateError(str(error), str(cause), at))
        if told.get("resourceType") == "states" and visit.child is None:
            visit.child = _child(told)

    def _fail(self, visit: StateVisit, error: StateError) -> None:
        visit.errors.append(error)
        visit.failing = True
        self._inner |= dict.fromkeys(_around(visit), error)

    def _end_iteration(self, told: Mapping[str, Any], before: _Place, at: datetime) -> None:
        text = f"{told.get('name')}[{told.get('index')}]"
        for depth, frame in enumerate(before.frames):
            if frame.text == text:
                path = tuple(each.text for each in before.frames[: depth + 1])
                inside = [v for v in self._open.values() if v.path[: depth + 1] == path]
                self._abandon(inside, at)

    def _inside(self, visit: StateVisit) -> list[StateVisit]:
        """Return the open states inside a Map or Parallel."""
        depth, start = len(visit.path), f"{visit.name}["
        return [
            each
            for each in self._open.values()
            if each.path[:depth] == visit.path
            and len(each.path) > depth
            and each.path[depth].startswith(start)
        ]

    def _abandon(self, visits: list[StateVisit], at: datetime, *, stopped: bool = False) -> None:
        """Settle states that were not left: those that failed, those around them, and others."""
        failed = [each for each in visits if each.failing]
        around = {place for each in failed for place in _around(each)}
        for each in visits:
            was_failed = each.failing or (*each.path, each.name) in around
            each.status = "failed" if was_failed and not stopped else "aborted"
            each.left = at
            self._open.pop(each.id, None)


class _Declared(NamedTuple):
    """A state of the definition, and the number of the branch that it begins, if it does."""

    state: Mapping[str, Any]
    branch: int = 0

    def failure(self, visit: StateVisit) -> StateError:
        """Return the error of a Fail state, whose names may be in its input."""
        error, cause = (self._text(name, visit.given) for name in ("Error", "Cause"))
        return StateError(error, cause, visit.entered)

    def _text(self, name: str, given: str | None) -> str:
        path = self.state.get(f"{name}Path")
        if path is None:
            return str(self.state.get(name, ""))
        value = _read(given)
        for part in str(path).removeprefix("$.").split("."):
            value = value.get(part) if isinstance(value, dict) else None
        return value if isinstance(value, str) else ""


_UNKNOWN: Final = _Declared({})


def details_of(event: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the details of a history event; empty if its type has none."""
    return next((value for name, value in event.items() if name.endswith("EventDetails")), {})


def _around(visit: StateVisit) -> Iterator[tuple[str, ...]]:
    """Yield each Map and Parallel that a state is in: its own path, and its name."""
    for depth, frame in enumerate(visit.path):
        yield (*visit.path[:depth], frame.rpartition("[")[0])


def _states(definition: Mapping[str, Any], branch: int = 0) -> Iterator[tuple[str, _Declared]]:
    """Yield every state by its name, which no other state of the machine has."""
    start = definition.get("StartAt")
    for name, state in definition.get("States", {}).items():
        yield name, _Declared(state, branch if name == start else 0)
        for number, inside in enumerate(state.get("Branches", ())):
            yield from _states(inside, number)
        for inside in ("ItemProcessor", "Iterator"):
            yield from _states(state.get(inside, {}))


def _named(name: str, place: _Place) -> tuple[StateVisit, tuple[_Frame, ...]] | None:
    """Return the state of this name that an event is in, and the frames around it."""
    if place.visit is not None and place.visit.name == name:
        return place.visit, place.frames
    for depth in range(len(place.frames) - 1, -1, -1):
        if place.frames[depth].visit.name == name:
            return place.frames[depth].visit, place.frames[:depth]
    return None


def _iterate(told: Mapping[str, Any], before: _Place) -> _Place:
    found = _named(str(told["name"]), before)
    if found is None:
        return before
    visit, frames = found
    return _Place((*frames, _Frame(visit, int(told["index"]))))


def _subject(kind: str, place: _Place) -> StateVisit | None:
    """Return the state that an event is about, which may end on an event inside of it."""
    of = next((each for each in ("Map", "Parallel") if kind.startswith(each)), None)
    if of is None or (place.visit is not None and place.visit.kind == of):
        return place.visit
    return next((f.visit for f in reversed(place.frames) if f.visit.kind == of), None)


def _parameter(told: Mapping[str, Any], service: str, name: str) -> str | None:
    """Return a parameter of an attempt's call of a service; None if it calls another one."""
    return _field(told.get("parameters"), name) if told.get("resourceType") == service else None


def _child(told: Mapping[str, Any]) -> str | None:
    return _field(told.get("output"), _ARN)


def _field(text: object, name: str) -> str | None:
    value = _read(text)
    found = value.get(name) if isinstance(value, dict) else None
    return found if isinstance(found, str) else None


def _read(text: object) -> Any:  # noqa: ANN401 - JSON
    try:
        return json.loads(text) if isinstance(text, str) else None
    except ValueError:  # AWS has cut it
        return None

"""Knows which state of which execution every call comes from, and breaks the planned ones.

moto's interpreter makes each state's call on the state's own thread: there the call is given a
header that says where it comes from, and the middleware in front of the cloud reads it.
"""

from __future__ import annotations

import functools
import json
import threading
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final, NamedTuple
from urllib.parse import quote, unquote

from botocore.config import Config
from moto.stepfunctions.parser.asl.component.state.exec.state_task.service import (
    state_task_service,
)
from moto.stepfunctions.parser.asl.utils import boto_client

from pipeline.operations.executions import source_of
from tests.faults.kinds import KINDS, TIMED_OUT, Answer

_HEADER: Final = "X-Called-From"
_ONE_TRY: Final = Config(max_pool_connections=32, retries={"total_max_attempts": 1})
_HERE: Final = threading.local()


class Origin(NamedTuple):
    """A state of an execution, and whose sake it runs for: a photo's key, or a model's name."""

    subject: str
    machine: str
    state: str
    execution: str


class Spot(NamedTuple):
    """Where a fault is planned: a state, on behalf of one photo or model."""

    subject: str
    machine: str
    state: str


class Injector:
    """`plan` says which fault is at which spot; `fired` counts the calls that met theirs.

    What `surprises` has for a spot happens just before the first call from there.
    """

    def __init__(self) -> None:
        self.plan: dict[Spot, str] = {}
        self.fired: Counter[Spot] = Counter()
        self.surprises: dict[Spot, Callable[[], None]] = {}
        self._app: Any = None
        self._stop: Any = None
        self._lock = threading.Lock()

    def wrap(self, app: Any) -> Any:
        self._app = app
        _mark_calls(self)
        return self

    def stop_with(self, stop: Any) -> None:
        """What stops an execution, once the cloud can."""
        self._stop = stop

    def meets(self, origin: Origin) -> tuple[str, int] | None:
        """The fault planned for the state a call comes from, and how often it was met."""
        spot = Spot(*origin[:3])
        with self._lock:
            kind = self.plan.get(spot)
            if kind is None:
                return None
            self.fired[spot] += 1
            return kind, self.fired[spot]

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        told = environ.get("HTTP_X_CALLED_FROM")
        origin = Origin(*json.loads(unquote(told))) if told else None
        met = self.meets(origin) if origin else None
        if origin and (surprise := self.surprises.pop(Spot(*origin[:3]), None)):
            surprise()
        if origin is None or met is None:
            answer: Iterable[bytes] = self._app(environ, start_response)
            return answer
        kind, count = met
        service = environ["HTTP_X_CALLED_SERVICE"]
        call = _Call(self._app, environ, service, count, functools.partial(self._abort, origin))
        broken = KINDS[kind](call)
        call.drain()
        start_response(broken.status, _measured(broken))
        return [broken.body]

    def _abort(self, origin: Origin) -> None:
        self._stop(executionArn=origin.execution, error="Aborted", cause="by the fault suite")


@dataclass
class _Call:
    """A call on its way into the cloud."""

    app: Any
    environ: dict[str, Any]
    service: str
    count: int
    abort: Any
    forwarded: bool = False

    def forward(self) -> Answer:
        self.forwarded = True
        said: list[Any] = []
        body = b"".join(self.app(self.environ, lambda *told: said.append(told)))
        return Answer(said[0][0], list(said[0][1]), body)

    def drain(self) -> None:
        """Read a body that nobody has read: the connection is used again."""
        if not self.forwarded:
            self.environ["wsgi.input"].read(int(self.environ.get("CONTENT_LENGTH") or 0))


def _measured(answer: Answer) -> list[tuple[str, str]]:
    kept = [pair for pair in answer.headers if pair[0].lower() != "content-length"]
    return [*kept, ("Content-Length", str(len(answer.body)))]


def _mark_calls(injector: Injector) -> None:
    """Have every Task say who it is, its clients pass that on, and none of them try twice."""
    service = state_task_service.StateTaskService
    evaluate = getattr(service._eval_execution, "__wrapped__", service._eval_execution)
    make = getattr(boto_client.boto3.client, "__wrapped__", boto_client.boto3.client)

    @functools.wraps(evaluate)
    def marked(self: Any, env: Any) -> None:
        _HERE.origin, _HERE.service = _origin(env), _service(self.resource)
        try:
            evaluate(self, env)
        finally:
            origin, _HERE.origin = _HERE.origin, None
        if injector.plan.get(Spot(*origin[:3])) == TIMED_OUT:
            raise TimeoutError

    @functools.wraps(make)
    def client(service_name: str, region_name: str, **options: Any) -> Any:
        made = make(service_name, region_name=region_name, **{**options, "config": _ONE_TRY})
        made.meta.events.register("before-sign", _tell, unique_id="called-from")
        return made

    service._eval_execution = marked
    boto_client.boto3.client = client


def _tell(request: Any, **_: Any) -> None:
    if getattr(_HERE, "origin", None):
        request.headers[_HEADER] = quote(json.dumps(_HERE.origin))
        request.headers["X-Called-Service"] = _HERE.service


def _origin(env: Any) -> Origin:
    context = env.states.context_object.context_object_data
    execution = context["Execution"]
    machine = context["StateMachine"]["Name"].partition("-")[2].partition("-")[2]
    subject = _subject(machine, execution["Input"])
    return Origin(subject, machine, context["State"]["Name"], execution["Id"])


def _subject(machine: str, execution_input: Any) -> str:
    if machine == "stage-weights":
        return str(execution_input["models"][0])
    if machine == "run-on-batch":
        return str(execution_input["payload"].get("source", {}).get("key", ""))
    if machine == "collection":
        asked: Mapping[str, Any] = execution_input if isinstance(execution_input, dict) else {}
        return str(asked.get("collection", ""))
    if machine == "record-failure":
        told = execution_input["detail"].get("input")  # the reaper does not tell it
        execution_input = json.loads(told) if told else {}
    photo = source_of(execution_input)
    return photo.key if photo else ""


def _service(resource: Any) -> str:
    first, _, second = resource.resource_arn.removeprefix("arn:aws:states:::").partition(":")
    return f"{first}:{second.partition(':')[0]}" if first == "aws-sdk" else str(first)

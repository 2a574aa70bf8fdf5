"""The ways a call that a state makes goes wrong, at the one door all calls pass."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, NamedTuple, Protocol

KILLED: Final = "killed"
TIMED_OUT: Final = "timed_out"
DELAY_S: Final = 0.5
_ID: Final = [("x-amzn-RequestId", "none"), ("x-amz-request-id", "none")]
_JSON: Final = ("Content-Type", "application/x-amz-json-1.1")
_XML: Final = ("Content-Type", "application/xml")


class Answer(NamedTuple):
    status: str
    headers: list[tuple[str, str]]
    body: bytes


class Call(Protocol):
    """One call of the state that a case is about; `count` says the how-manieth, from 1."""

    service: str
    count: int

    def forward(self) -> Answer:
        """What the service really does and says."""

    def abort(self) -> None:
        """Stop the execution that makes the call."""


def _throttled_twice(call: Call) -> Answer:
    return refusal(call.service) if call.count <= 2 else call.forward()


def _down(call: Call) -> Answer:
    return refusal(call.service)


def _answer_lost(call: Call) -> Answer:
    """It is done, and whoever asked does not hear of it and asks again."""
    answer = call.forward()
    return refusal(call.service) if call.count == 1 else answer


def _delayed(call: Call) -> Answer:
    time.sleep(DELAY_S)
    return call.forward()


def _aborted_before(call: Call) -> Answer:
    call.abort()
    return refusal(call.service)


def _aborted_after(call: Call) -> Answer:
    answer = call.forward()
    call.abort()
    return answer


def _garbled(call: Call) -> Answer:
    """It is done, and the first answer is bytes that mean nothing."""
    answer = call.forward()
    return answer._replace(body=b'{"\x00') if call.count == 1 else answer


def _untouched(call: Call) -> Answer:
    return call.forward()


KINDS: Final[dict[str, Callable[[Call], Answer]]] = {
    "throttled_twice": _throttled_twice,
    "down": _down,
    "answer_lost": _answer_lost,
    "delayed": _delayed,
    "aborted_before": _aborted_before,
    "aborted_after": _aborted_after,
    "garbled": _garbled,
    TIMED_OUT: _untouched,  # the interpreter is told that the state's time is over
    KILLED: _untouched,  # the handler's own process dies, of a function or a job
}
# What a state machine is to get over by itself.
HEALING: Final = frozenset({"throttled_twice", "answer_lost", "delayed"})


@dataclass(frozen=True)
class _Refusal:
    """How a service says that it is too busy, in words the interpreter gives AWS's name to."""

    status: str
    code: str
    xml: bool = False

    def answer(self) -> Answer:
        if self.xml:
            body = f"<Error><Code>{self.code}</Code><Message>busy</Message></Error>"
            return Answer(self.status, [_XML, *_ID], body.encode())
        body = f'{{"__type": "{self.code}", "message": "busy", "Message": "busy"}}'
        return Answer(self.status, [_JSON, ("x-amzn-ErrorType", self.code), *_ID], body.encode())


_REFUSALS: Final = {
    "lambda": _Refusal("429 Too Many Requests", "TooManyRequestsException"),
    "aws-sdk:s3": _Refusal("503 Slow Down", "S3", xml=True),
    "states": _Refusal("400 Bad Request", "Throttling"),
    "batch": _Refusal("429 Too Many Requests", "TooManyRequestsException"),
}
_THROTTLED: Final = _Refusal("400 Bad Request", "ThrottlingException")


def refusal(service: str) -> Answer:
    return _REFUSALS.get(service, _THROTTLED).answer()

"""Rules on deliveries: whatever happens, a message is delivered, tried again, or a dead letter."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from pipeline.operations.dead_letters import DeadLetter
from tests.contracts import catch_rules, retry_rules
from tests.contracts.asl import Machine
from tests.contracts.declared import Declared
from tests.contracts.mutations import drop, put, remove
from tests.contracts.retry_rules import Patience
from tests.contracts.slips import Slip

_SEND: Final = "States/Send"
_REMOVED: Final = frozenset({"WebhookRemoved"})  # nobody is left to send it to


def nothing_undelivered_is_lost(machine: Machine, declared: Declared) -> Iterator[str]:
    """What keeps a message from its receiver leads to a dead letter, and nothing else does."""
    scope = machine.scopes[0]
    send = scope.states["Send"]
    raised = declared.raised_by(machine)
    expected = ((declared.errors & raised) | catch_rules.OUT_OF_CAPACITY) - _REMOVED
    kept = {
        name
        for catcher in send.catchers
        if "KeepDeadLetter" in scope.reachable(catcher["Next"])
        for name in catcher["ErrorEquals"]
    }
    for name in sorted(expected - kept):
        yield f"Send: {name} leads to no dead letter"
    for name in sorted(kept - expected):
        yield f"Send: {name} leads to a dead letter"
    if "KeepDeadLetter" in scope.reachable(send.body["Next"]):
        yield "Send: a delivered message leads to a dead letter"


def dead_letters_are_whole(machine: Machine, _declared: Declared) -> Iterator[str]:
    """An operator reads and sends again what is written."""
    written = machine.scopes[0].states["KeepDeadLetter"].parameters["Item"].keys()
    for name in sorted(written ^ DeadLetter.__dataclass_fields__.keys()):
        yield f"KeepDeadLetter: {name} is written or read, and not both"


def the_last_try_is_in_time(machine: Machine, _declared: Declared) -> Iterator[str]:
    """The machine may take longer than all tries and the longest waits between them."""
    send = machine.scopes[0].states["Send"]
    for retrier in send.retriers:
        patience = Patience.of(retrier)
        waits = (
            min(patience.cap_s, patience.interval_s * patience.rate**number)
            for number in range(patience.tries)
        )
        longest = sum(waits) + (patience.tries + 1) * send.body["TimeoutSeconds"]
        if machine.definition["TimeoutSeconds"] < longest:
            yield f"the machine ends before its last try, after {longest:.0f} s"


RULES: Final = (
    nothing_undelivered_is_lost,
    dead_letters_are_whole,
    the_last_try_is_in_time,
)

SLIPS: Final = (
    Slip(
        nothing_undelivered_is_lost,
        remove(f"{_SEND}/Catch/0/ErrorEquals", "ReceiverGone"),
        "Send: ReceiverGone leads to no dead letter",
    ),
    Slip(
        nothing_undelivered_is_lost,
        put(f"{_SEND}/Catch/1/Next", "KeepDeadLetter"),
        "Send: WebhookRemoved leads to a dead letter",
    ),
    Slip(
        nothing_undelivered_is_lost,
        put(f"{_SEND}/Next", "KeepDeadLetter"),
        "Send: a delivered message leads to a dead letter",
    ),
    Slip(
        dead_letters_are_whole,
        drop("States/KeepDeadLetter/Parameters/Item/body"),
        "KeepDeadLetter: body is written or read, and not both",
    ),
    Slip(
        the_last_try_is_in_time,
        put("TimeoutSeconds", 86_400),
        "the machine ends before its last try, after 180135 s",
    ),
    Slip(
        retry_rules.lambda_is_retried,
        remove(f"{_SEND}/Retry/2/ErrorEquals", "Sandbox.Timedout"),
        "Send: Sandbox.Timedout is not retried",
    ),
    Slip(
        retry_rules.lambda_is_retried,
        put(f"{_SEND}/Retry/2/MaxAttempts", 5),
        "Send: ReceiverUnavailable is retried 10 s ×2, 5 tries, cap 14400 s;"
        " agreed is 10 s ×2, 22 tries, cap 14400 s",
    ),
    Slip(
        retry_rules.hopeless_errors_are_not_retried,
        put(f"{_SEND}/Retry/2/ErrorEquals/0", "ReceiverGone"),
        "Send: retries ReceiverGone",
    ),
)

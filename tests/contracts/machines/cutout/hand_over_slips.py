"""Slips that would lose an upload that is for another product, or keep it from its machine."""

from __future__ import annotations

from typing import Final

from tests.contracts import hand_over_rules, task_rules
from tests.contracts.mutations import add, drop, put, remove
from tests.contracts.slips import Slip

_HAND_OVER: Final = "States/HandOver"

SLIPS: Final = (
    Slip(
        hand_over_rules.other_uploads_are_handed_over,
        drop("States/Inspect/Catch/1"),
        "Inspect: OtherMedia is not caught",
    ),
    Slip(
        hand_over_rules.other_uploads_are_handed_over,
        drop("States/Inspect/Catch/2"),
        "Inspect: OtherProduct is not caught",
    ),
    Slip(
        hand_over_rules.other_uploads_are_handed_over,
        drop("States/Inspect/Parameters/Payload/hands_over"),
        "Inspect: catches OtherMedia, which it does not ask for",
    ),
    Slip(
        hand_over_rules.other_uploads_are_handed_over,
        drop("States/Inspect/Parameters/Payload/hands_over_requests"),
        "Inspect: catches OtherProduct, which it does not ask for",
    ),
    Slip(
        hand_over_rules.other_uploads_are_handed_over,
        put("States/Inspect/Catch/1/Next", "NameAfterExecution"),
        "Inspect: OtherMedia leads to NameAfterExecution",
    ),
    Slip(
        hand_over_rules.other_uploads_are_handed_over,
        put("States/Inspect/Catch/2/Next", "NameOtherMachine"),
        "Inspect: OtherProduct leads to NameOtherMachine",
    ),
    Slip(
        hand_over_rules.other_uploads_are_handed_over,
        add("States/Inspect/Catch/1/ErrorEquals", "CorruptMedia"),
        "Inspect: CorruptMedia is caught as if it were OtherMedia",
    ),
    Slip(
        hand_over_rules.other_uploads_are_handed_over,
        put(f"{_HAND_OVER}/Next", "RecordFailure"),
        "NameOtherMachine: leads somewhere else than to HandOver and HandedOver",
    ),
    Slip(
        hand_over_rules.what_is_handed_over_is_the_same,
        put("States/NameOtherMachine/Parameters/machine", "cutout"),
        "NameOtherMachine: names no machine of another product",
    ),
    Slip(
        hand_over_rules.what_is_handed_over_is_the_same,
        put(
            "States/NameRequestedMachine/Parameters/machine.$",
            "States.ArrayGetItem(States.StringSplit($.cause.errorMessage, ':'), 1)",
        ),
        "NameRequestedMachine: does not read the machine that OtherProduct names",
    ),
    Slip(
        hand_over_rules.what_is_handed_over_is_the_same,
        put(f"{_HAND_OVER}/Parameters/StateMachineArn.$", "$.machine"),
        "HandOver: does not start the machine that was named",
    ),
    Slip(
        hand_over_rules.what_is_handed_over_is_the_same,
        drop(f"{_HAND_OVER}/Parameters/Name.$"),
        "HandOver: Name is not this execution's",
    ),
    Slip(
        hand_over_rules.what_is_handed_over_is_the_same,
        put(f"{_HAND_OVER}/Parameters/Input.$", "$.job.source"),
        "HandOver: Input is not this execution's",
    ),
    Slip(
        hand_over_rules.what_is_handed_over_is_the_same,
        remove(f"{_HAND_OVER}/Catch/0/ErrorEquals", "StepFunctions.ExecutionAlreadyExists"),
        "HandOver: an execution that was started before is not caught",
    ),
    Slip(
        hand_over_rules.what_is_handed_over_is_the_same,
        put("States/HandedOver/Parameters/status", "DONE"),
        "HandedOver: does not name the execution that was started",
    ),
    Slip(
        task_rules.children_time_out_first,
        put(f"{_HAND_OVER}/ResultPath", "$.other"),
        "HandOver: does not wait for the machine it starts",
    ),
)

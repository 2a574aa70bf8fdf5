"""Slips in the faces machine: in its two tasks, and in what it publishes of a face."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from tests.contracts import (
    catch_rules,
    data_rules,
    hand_over_rules,
    record_rules,
    task_rules,
)
from tests.contracts.asl import Machine, expressions
from tests.contracts.declared import Declared
from tests.contracts.mutations import add, drop, put, remove
from tests.contracts.slips import Slip

_ANALYZE: Final = "States/AnalyzeFaces"
_EMBED: Final = "States/EmbedFaces"
# What a task returns that says nothing of a face.
_COUNTED: Final = frozenset(
    {
        "files",
        "count",
        "rejected",
        "dimension",
        "model",
        "weights_sha256",
        "metrics",
        "provenance",
    }
)
# The artifact with the faces goes from the one task to the other, and no further.
_FACES: Final = "$.analysis.faces"
_LOOK: Final = "PhotoToLookFor?"


def nothing_of_a_face_leaves_the_tasks(machine: Machine, _declared: Declared) -> Iterator[str]:
    """Records, rows and events have counts: what a face is like is in files alone."""
    for task in machine.lambda_tasks:
        if task.name == machine.definition["StartAt"]:
            continue
        kept = {name.removesuffix(".$") for name in task.body["ResultSelector"]}
        for name in sorted(kept - _COUNTED - {"faces"}):
            yield f"{task.name}: keeps {name}"
    for state in machine.states:
        reads = {text for text in expressions(state.body) if _FACES in text}
        if reads and state.name != "EmbedFaces":
            yield f"{state.name}: reads the faces"


def only_the_detector_has_a_fallback(machine: Machine, _declared: Declared) -> Iterator[str]:
    """A lighter detector is no remedy for a small embedder."""
    scope = machine.scopes[0]
    for state in machine.states:
        for catcher in state.catchers:
            if not catch_rules.OUT_OF_CAPACITY & frozenset(catcher["ErrorEquals"]):
                continue
            ahead = scope.reachable(catcher["Next"], avoiding=(catch_rules.STAGE_ONCE,))
            if catch_rules.FALLBACKS & ahead and state.name != "AnalyzeFaces":
                yield f"{state.name}: leads to another detector"


def a_photo_that_is_gone_is_forgotten(machine: Machine, _declared: Declared) -> Iterator[str]:
    """After the record, the photo is looked for; without it nothing is announced."""
    scope = machine.scopes[0]
    ahead = scope.reachable("Record", avoiding=(_LOOK,))
    if "Announce" in ahead:
        yield "Record: a result is announced without a look for its photo"
    gone = [each["Next"] for each in scope.states["FindPhoto"].catchers]
    ends = [end for start in gone for end in scope.ends(start, avoiding=("ForgetPhoto",))]
    if not gone or ends:
        yield "FindPhoto: a photo that is gone is not forgotten"


RULES: Final = (
    nothing_of_a_face_leaves_the_tasks,
    only_the_detector_has_a_fallback,
    a_photo_that_is_gone_is_forgotten,
)

SLIPS: Final = (
    Slip(
        nothing_of_a_face_leaves_the_tasks,
        put(f"{_ANALYZE}/ResultSelector/boxes.$", "$.Payload.boxes"),
        "AnalyzeFaces: keeps boxes",
    ),
    Slip(
        nothing_of_a_face_leaves_the_tasks,
        put("States/PublishRecord/Parameters/Body/faces.$", _FACES),
        "PublishRecord: reads the faces",
    ),
    Slip(
        a_photo_that_is_gone_is_forgotten,
        put("States/Record/Catch/0/Next", "Announce"),
        "Record: a result is announced without a look for its photo",
    ),
    Slip(
        a_photo_that_is_gone_is_forgotten,
        put("States/FindPhoto/Catch/0/Next", "PhotoGone"),
        "FindPhoto: a photo that is gone is not forgotten",
    ),
    Slip(
        catch_rules.permanent_errors_are_caught,
        remove(f"{_EMBED}/Catch/0/ErrorEquals", "InvalidOptions"),
        "EmbedFaces: InvalidOptions is not caught",
    ),
    Slip(
        catch_rules.permanent_errors_are_quarantined,
        put(f"{_ANALYZE}/Catch/0/Next", "RecordFailure"),
        "AnalyzeFaces: a permanent error gets to Failed past Quarantine",
    ),
    Slip(
        only_the_detector_has_a_fallback,
        put(f"{_EMBED}/Catch/2/Next", "FallbackAllowed?"),
        "EmbedFaces: leads to another detector",
    ),
    Slip(
        catch_rules.redrivable_errors_stay_uncaught,
        add(f"{_EMBED}/Catch/2/ErrorEquals", "StoreUnavailable"),
        "EmbedFaces: catches StoreUnavailable",
    ),
    Slip(
        data_rules.payloads_have_the_right_type,
        put(f"{_EMBED}/Parameters/Payload/faces.$", "$.analysis.files"),
        "EmbedFaces: 'faces' is given a tuple[pipeline.contracts.faces.FaceFile, ...]",
    ),
    Slip(
        hand_over_rules.what_is_handed_over_is_the_same,
        put("States/NameOtherMachine/Parameters/machine", "faces"),
        "NameOtherMachine: names no machine of another product",
    ),
    Slip(
        record_rules.sources_are_the_latest_when_published,
        drop(f"{_EMBED}/Parameters/Payload/follows_latest.$"),
        "EmbedFaces: is the last task, and is not told whether to follow the latest version",
    ),
    Slip(
        task_rules.payloads_fit_the_job,
        drop(f"{_ANALYZE}/Parameters/Payload/options.$"),
        "AnalyzeFaces: the payload lacks 'options'",
    ),
)

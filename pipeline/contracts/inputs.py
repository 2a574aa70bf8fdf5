"""What an operator may start by hand: the inputs of state machines, with examples."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, NamedTuple, Self

from pydantic import Field, JsonValue, field_validator, model_validator

from pipeline.compute import Lane
from pipeline.contracts.contract import Contract


class ObjectInput(Contract):
    """One object for a product. `options` replace those of the upload; `force` does it again.

    Without a `version_id`, it is the latest version of the object.
    """

    bucket: str = Field(min_length=1)
    key: str = Field(min_length=1, max_length=1024)
    version_id: str | None = Field(default=None, min_length=1, max_length=1024)
    force: bool = False
    options: dict[str, JsonValue] = Field(default_factory=dict)
    lane: Lane = "uploads"


class BackfillInput(Contract):
    """Objects of the ingest bucket: all below `prefix` for a product's `machine`, or on a `list`.

    A list is a file below `backfill/lists/` of the work bucket; its lines name machines, and a
    `machine` beside it changes nothing. Without `max_concurrency`, the stage's
    `backfill_concurrency` objects run at a time.
    """

    machine: str | None = None
    prefix: str | None = Field(default=None, max_length=1024)
    list: str | None = Field(default=None, min_length=1)
    force: bool = False
    options: dict[str, JsonValue] = Field(default_factory=dict)
    max_concurrency: int | None = Field(default=None, ge=1, le=10_000)
    tolerated_failure_percentage: float = Field(default=5, ge=0, le=100)

    @field_validator("max_concurrency")
    @classmethod
    def _is_a_number_if_given(cls, given: int | None) -> int:
        if given is None:
            raise ValueError("give a number, or leave it out for the stage's own")
        return given

    @model_validator(mode="after")
    def _names_one_source(self) -> Self:
        if self.list is None:
            complete = self.machine is not None and self.prefix is not None
        else:
            complete = self.prefix is None
        if not complete:
            raise ValueError("give a machine and a prefix, or a list")
        return self


class StagingInput(Contract):
    """Models whose weights to stage; with `force`, those that are staged already, too."""

    models: tuple[str, ...] = Field(min_length=1, max_length=100)
    force: bool = False


class NoInput(Contract):
    """Nothing: the machine finds its work itself."""


class Example(NamedTuple):
    """An input that a machine accepts, and what it is for."""

    title: str
    input: Mapping[str, Any]


class StartedByHand(NamedTuple):
    """The input of a machine that is no product's, and examples."""

    input: type[Contract]
    examples: tuple[Example, ...]


# By machine. All others are started by events, by the API or by another machine.
STARTED_BY_HAND: Final[Mapping[str, StartedByHand]] = {
    "backfill": StartedByHand(
        BackfillInput,
        (
            Example("All uploads below a prefix", {"machine": "cutout", "prefix": "archive/"}),
            Example(
                "Do finished jobs again",
                {"machine": "cutout", "prefix": "archive/", "force": True, "max_concurrency": 5},
            ),
        ),
    ),
    "compact-collections": StartedByHand(NoInput, (Example("Compact all collections", {}),)),
    "reap-jobs": StartedByHand(NoInput, (Example("Close jobs whose execution has ended", {}),)),
    "stage-weights": StartedByHand(
        StagingInput,
        (
            Example("Stage a model", {"models": ["u2netp"]}),
            Example("Stage a model again", {"models": ["u2netp"], "force": True}),
        ),
    ),
}


def object_examples(bucket: str, suffixes: tuple[str, ...]) -> tuple[Example, ...]:
    """Return inputs of a product's machine, for an object of its kind in this bucket."""
    key = f"folder/name{suffixes[0] if suffixes else '.jpg'}"
    whole = {"bucket": bucket, "key": key}
    return (
        Example("An object that was uploaded", whole),
        Example("Do a finished job again", {**whole, "force": True}),
    )

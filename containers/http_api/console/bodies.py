"""What operators send to the console's routes."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, JsonValue, StringConstraints

MachineName = Annotated[str, StringConstraints(min_length=1, max_length=80)]
ExecutionName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_-]{1,80}$")]


class _Body(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class NewExecution(_Body):
    """An execution to start: of a machine, with an input that its schema allows.

    Without a `name`, it gets one. The same name, machine and input again start nothing new while
    the execution runs.
    """

    machine: MachineName
    input: JsonValue = Field(default_factory=dict)
    name: ExecutionName | None = None


class ConsoleReplay(_Body):
    """How to replay an execution: `force` does again what is done, `options` replace its own."""

    force: bool = False
    options: dict[str, Any] | None = None


class QuarantineRelease(_Body):
    """How to run a job in quarantine again: with the `options` of its input, or with these."""

    options: dict[str, Any] | None = None

"""Declare what a container's role may do: with objects, rows and executions."""

from collections.abc import Sequence
from typing import Final, Literal

from pydantic import Field

from pipeline.declared.declaration import Declaration, KebabName

Action = Literal["list", "read", "put", "write", "delete", "erase"]
RowAction = Literal[
    "GetItem", "BatchGetItem", "Query", "Scan", "PutItem", "UpdateItem", "DeleteItem"
]
ExecutionAction = Literal[
    "DescribeStateMachine",
    "ListExecutions",
    "StartExecution",
    "DescribeExecution",
    "DescribeStateMachineForExecution",
    "GetExecutionHistory",
    "StopExecution",
    "RedriveExecution",
]
LogAction = Literal["FilterLogEvents"]
MachineAction = ExecutionAction | Literal["ListMapRuns", "DescribeMapRun"]
_MODEL: Final = "{model}"


class TableAccess(Declaration):
    """One `[[tables]]` of a container's manifest: DynamoDB's own actions on one table.

    `Query` is for the table's indexes.
    """

    name: KebabName
    actions: tuple[RowAction, ...] = Field(min_length=1)


class MachineAccess(Declaration):
    """One `[[machines]]` of a container's manifest: Step Functions' own actions on one machine.

    It is for a machine that is no product's.
    """

    name: KebabName
    actions: tuple[MachineAction, ...] = Field(min_length=1)


class Invocation(Declaration):
    """One `[[invokes]]` of a container's manifest: functions of another container that it invokes.

    With `prompts`, these are the functions whose models take prompts.
    """

    container: KebabName
    prompts: bool = False


class Access(Declaration):
    """One `[[access]]` of a container's manifest.

    In `keys`, `*` stands for any characters, slashes too, and `{model}` for the function's model.
    `list` names the keys of the whole bucket, and so does `read`, which then tells what is missing
    from what is forbidden. `put` stores whole objects, and `write` takes uploads in parts too.
    `erase` deletes objects in every version, and lists the versions of the whole bucket.
    With `engines`, which the container's `models.toml` declares, it is only for functions whose
    model is of one of them.
    """

    bucket: KebabName
    keys: tuple[str, ...] = Field(min_length=1)
    actions: tuple[Action, ...] = Field(min_length=1)
    engines: tuple[KebabName, ...] = ()

    def is_for(self, engine: str | None) -> bool:
        """Return True if functions whose model has this engine (None: no model) get this grant."""
        return not self.engines or engine in self.engines

    @property
    def is_of_a_model(self) -> bool:
        """Return True if only functions with a model can get this grant."""
        return bool(self.engines) or any(_MODEL in key for key in self.keys)

    def keys_of(self, model: str | None) -> Sequence[str]:
        """Return the key patterns for a function with that model, or with none."""
        return [key.replace(_MODEL, model or "") for key in self.keys]

"""Declare the buckets, tables and zipped functions that state machines use."""

from pathlib import Path
from typing import Self

from pydantic import Field, model_validator

from pipeline.declared.declaration import Declaration, KebabName, MemoryMb, naming, read_toml


class Bucket(Declaration):
    """`retained` buckets outlive their deployment; so do, for so many days, `locked` objects.

    Of a versioned bucket, versions that were replaced or deleted stay for `noncurrent_days`.
    """

    summary: str
    versioned: bool = False
    events: bool = False
    retained: bool = False
    expires_days: int | None = Field(default=None, ge=1)
    noncurrent_days: int = Field(default=90, ge=1)
    locked_days: int | None = Field(default=None, ge=1)

    @model_validator(mode="after")
    def _locks_versions(self) -> Self:
        if self.locked_days is not None and not self.versioned:
            raise ValueError("only versions can be locked: locked_days needs versioned = true")
        return self


class VectorBucket(Declaration):
    """A bucket of S3 Vectors, with an index for each collection."""

    summary: str


class Index(Declaration):
    """An index on `attribute`, sorted by `sort`; DynamoDB takes no empty text in either.

    The `copied` attributes are returned with the key.
    """

    attribute: str
    sort: str | None = None
    copied: tuple[str, ...] = ()

    @property
    def keys(self) -> tuple[str, ...]:
        """Return the attributes that a row in the index has."""
        return (self.attribute,) if self.sort is None else (self.attribute, self.sort)


class Table(Declaration):
    """A table with one row for each `key`.

    DynamoDB deletes a row some time after the time in `expires`, in seconds since 1970.
    """

    summary: str
    key: str
    expires: str | None = None
    indexes: dict[KebabName, Index] = Field(default_factory=dict)


class Operation(Declaration):
    """A zipped function of the platform: `pipeline/functions/<snake_name>`.

    It needs no image, so it is there before the first one is built. CodeDeploy invokes a `hook`.
    With `errors_retried`, a state machine retries its errors, so they are no reason for an alarm.
    """

    summary: str
    timeout_s: int = Field(ge=1, le=900)
    memory_mb: MemoryMb = 256
    hook: bool = False
    errors_retried: bool = False
    environment: dict[str, str] = Field(default_factory=dict)


class Resources(Declaration):
    """`state_machines/resources.toml`: what the state machines use besides containers.

    Machines in `claiming` are no product's, and claim rows of the jobs table too.
    """

    claiming: tuple[KebabName, ...] = ()
    buckets: dict[str, Bucket]
    vector_buckets: dict[str, VectorBucket] = Field(default_factory=dict)
    tables: dict[str, Table]
    functions: dict[KebabName, Operation] = Field(default_factory=dict)


def load_resources(root: Path) -> Resources:
    path = root / "state_machines" / "resources.toml"
    with naming(path):
        return Resources.model_validate(read_toml(path))

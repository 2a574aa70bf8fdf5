"""Declare the buckets, tables and zipped functions that state machines use."""

from pathlib import Path
from typing import Annotated, Self

from pydantic import Field, StringConstraints, model_validator

from pipeline.declared.declaration import Declaration, KebabName, MemoryMb, naming, read_toml

_Folder = Annotated[str, StringConstraints(pattern=r"^[a-z-]+/$")]


class Bucket(Declaration):
    """`retained` buckets outlive their deployment; so do, for so many days, `locked` objects.

    Objects expire after `expires_days`, those below a prefix after its days in `expires`.
    Of a versioned bucket, versions that were replaced or deleted stay for `noncurrent_days`.
    A bucket with `own_key` is encrypted with a key that only the containers with access to it may
    use; any other with the key of all buckets.
    """

    summary: str
    versioned: bool = False
    events: bool = False
    retained: bool = False
    own_key: bool = False
    expires_days: int | None = Field(default=None, ge=1)
    expires: dict[_Folder, Annotated[int, Field(ge=1)]] = Field(default_factory=dict)
    noncurrent_days: int = Field(default=90, ge=1)
    locked_days: int | None = Field(default=None, ge=1)

    @model_validator(mode="after")
    def _locks_versions(self) -> Self:
        if self.locked_days is not None and not self.versioned:
            raise ValueError("only versions can be locked: locked_days needs versioned = true")
        return self


class VectorBucket(Declaration):
    """A bucket of S3 Vectors, with an index for each collection. It outlives its deployment.

    It is encrypted with the own key of the bucket of the same name.
    """

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

    @model_validator(mode="after")
    def _has_a_key_for_vectors(self) -> Self:
        keys = {name for name, bucket in self.buckets.items() if bucket.own_key}
        if lost := sorted(self.vector_buckets.keys() - keys):
            raise ValueError(f"no bucket with own_key = true has the name {', '.join(lost)}")
        return self


def load_resources(root: Path) -> Resources:
    path = root / "state_machines" / "resources.toml"
    with naming(path):
        return Resources.model_validate(read_toml(path))

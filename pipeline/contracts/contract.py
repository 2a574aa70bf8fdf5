"""What every task's job and result have in common.

Jobs are parsed from the payload a state machine writes field by field; results are what it reads
back. `schema` is the version of the pair. When one changes, accept the old number beside the new
for one release: a Lambda alias can move under a running execution.
"""

from typing import Final, Literal

from pydantic import BaseModel, ConfigDict, Field

from pipeline.artifacts import Location

FOREVER: Final = 9_999_999_999


class Contract(BaseModel):
    """A value that crosses a task's edge: frozen, and unknown fields are refused by name."""

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)


class Job(Contract):
    schema_version: Literal[1] = Field(alias="schema")


class Provenance(Contract):
    """What produced a result, exactly."""

    container: str
    version: str
    image_digest: str


class Result(Contract):
    """`metrics` and `provenance` are filled in by `pipeline.task`; a handler adds its own keys."""

    schema_version: Literal[1] = Field(default=1, alias="schema")
    metrics: dict[str, float] = Field(default_factory=dict)
    provenance: Provenance | None = None


class Source(Contract):
    """The ingested object that a job is about, in the exact version that was inspected."""

    bucket: str
    key: str
    version_id: str | None
    etag: str
    sha256: str
    bytes: int
    media_type: str

    @property
    def location(self) -> Location:
        return Location(self.bucket, self.key, self.version_id)

"""What started the execution: an S3 event, or what a person typed in the console."""

from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    StringConstraints,
    ValidationError,
)

from pipeline.artifacts import Location
from pipeline.compute import Lane
from pipeline.contracts.output_keys import S3_KEY_LIMIT_BYTES
from pipeline.contracts.written import describe
from pipeline.errors import InvalidOptions

BucketName = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$")]


def _within_s3s_limit(key: str) -> str:
    if len(key.encode(errors="surrogatepass")) > S3_KEY_LIMIT_BYTES:
        raise ValueError(f"a key has at most {S3_KEY_LIMIT_BYTES} bytes")
    return key


VersionId = Annotated[str, StringConstraints(min_length=1, max_length=1024)]
Key = Annotated[str, StringConstraints(min_length=1), AfterValidator(_within_s3s_limit)]


@dataclass(frozen=True)
class Request:
    """One object and what is asked for it. `etag` is the one the event reported, if there was one.

    `options` are as typed: unmerged and unchecked. `follows_latest` is false if a user named a
    version. `uploaded` is true if an event of S3 started the execution, and nobody chose its state
    machine. `lane` is `backfill` if a backfill started it.
    """

    location: Location
    etag: str | None
    force: bool
    options: dict[str, Any]
    follows_latest: bool = True
    uploaded: bool = False
    lane: Lane = "uploads"


class _TypedInput(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)

    bucket: BucketName
    key: Key
    version_id: VersionId | None = None
    force: bool = False
    options: dict[str, Any] = Field(default_factory=dict)
    lane: Lane = "uploads"


class _EventBucket(BaseModel):
    name: BucketName


class _EventObject(BaseModel):
    key: Key
    etag: str | None = None
    version_id: VersionId | None = Field(default=None, alias="version-id")


class _EventDetail(BaseModel):
    bucket: _EventBucket
    object: _EventObject


def read_request(execution_input: object) -> Request:
    """Either kind of input as a Request; InvalidOptions names every field that is wrong."""
    try:
        if isinstance(execution_input, dict) and "detail-type" in execution_input:
            detail = _EventDetail.model_validate(execution_input.get("detail"))
            stored = detail.object
            location = Location(detail.bucket.name, stored.key, stored.version_id)
            return Request(location, stored.etag, force=False, options={}, uploaded=True)
        typed = _TypedInput.model_validate(execution_input)
    except ValidationError as error:
        raise InvalidOptions(f"execution input: {describe(error, _TypedInput)}") from error
    location = Location(typed.bucket, typed.key, typed.version_id)
    return Request(
        location,
        etag=None,
        force=typed.force,
        options=typed.options,
        follows_latest=typed.version_id is None,
        lane=typed.lane,
    )

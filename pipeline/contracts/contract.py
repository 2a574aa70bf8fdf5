"""Base types of all jobs and results, and of the jobs of products.

Jobs are parsed from the payload a state machine writes field by field; results are what it reads
back. `schema` is the version of the pair. When one changes, accept both numbers
for one release: a Lambda alias can move under a running execution.
"""

import importlib
from collections.abc import Iterator, Mapping
from typing import Any, ClassVar, Final, Literal, NamedTuple, cast

from pydantic import BaseModel, ConfigDict, Field

from pipeline.artifacts import Location
from pipeline.compute import BatchMachines, Compute, Lane

FOREVER: Final = 9_999_999_999
_OPTION_METADATA: Final = "matteline_"
PRODUCT: Final = "product"  # in metadata, no option but the product that the upload asks for


class Contract(BaseModel):
    """A task's job or result, or a part of one: frozen; unknown fields are rejected by name."""

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)


class Job(Contract):
    schema_version: Literal[1] = Field(alias="schema")


class Provenance(Contract):
    """The exact version of the container that produced a result."""

    container: str
    version: str
    image_digest: str


class Result(Contract):
    """`metrics` and `provenance` are filled in by `pipeline.task`; a handler adds its own keys."""

    schema_version: Literal[1] = Field(default=1, alias="schema")
    metrics: dict[str, float] = Field(default_factory=dict)
    provenance: Provenance | None = None


class Source(Contract):
    """The uploaded object that a job is about, in the exact version that was inspected."""

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


class SourcePhoto(Source):
    """The photo as it was inspected. Width and height are pixels after EXIF rotation."""

    width: int
    height: int


class Contradiction(NamedTuple):
    """Two options, of which the second leaves the first without effect.

    `impossible`: no result can have both. Otherwise the second may come from a stronger place and
    switch the first off.
    """

    option: str
    other: str
    why: str
    impossible: bool = False


class PublishedJob(Job):
    """The job of a product's last task, whose results the state machine publishes next.

    `follows_latest` says that the job is about what its key holds. Then `pipeline.task` makes the
    task fail if the object was replaced or deleted meanwhile. An older state machine does not say.
    """

    source: Source
    follows_latest: bool = False


class Options(Contract):
    """A product's options, merged from defaults, profile, metadata and input.

    `allow_fallback` lets a lighter model stand in where the planned one runs out of memory.
    `compute` is where models run, and absent unless a user sets it: tasks of the release before it
    accept such a job. Those named in `without_effect` change nothing in the result: jobs that
    differ in them are one.
    """

    without_effect: ClassVar[frozenset[str]] = frozenset({"compute"})

    allow_fallback: bool = False
    compute: Compute = Field(default="auto", exclude_if=lambda compute: compute == "auto")

    def contradictions(self) -> Iterator[Contradiction]:
        """Yield the contradictions among merged options.

        Parsing accepts them: a job that was inspected before a rule existed runs to its end.
        """
        yield from ()


class PlannedModel(Contract):
    """The model that fills a role, and what to try next if its function is too small.

    That is the same model in a job of AWS Batch, or else a lighter one, which is `degraded`.
    `weights_key` is null for a hosted model, which has no weights to stage. `output` is the
    catalogue's: what a model's mask is. `restage` is set by the state machine once staged weights
    have turned out incomplete.
    """

    model: str
    weights_key: str | None
    output: Literal["mask", "alpha"] = "mask"
    compute: Literal["lambda", "batch"] = "lambda"
    restage: bool = False
    degraded: bool = False
    fallback: "PlannedModel | None" = None


def no_truth_value(value: object) -> object:
    """Refuse true and false, which would be read as 1 and 0."""
    if isinstance(value, bool):
        raise ValueError("should be a whole number")  # noqa: TRY004 - pydantic reports ValueError
    return value


def option_texts(metadata: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """Yield the name and the text of each option in an object's metadata, `PRODUCT` among them.

    `x-amz-meta-matteline-crop` has the option `crop`. Upper case in a name does not count, and
    hyphens and underscores are the same.
    """
    for written, text in metadata.items():
        name = written.lower().replace("-", "_")
        if name.startswith(_OPTION_METADATA):
            yield name.removeprefix(_OPTION_METADATA), text


def metadata_name(option: str) -> str:
    """Return the name of an option in an object's metadata, without S3's `x-amz-meta-`."""
    return f"{_OPTION_METADATA}{option}".replace("_", "-")


class MediaJob(Contract):
    """The job of one object in a product's state machine.

    `model` is the one that the option `model` chose, or its fallback; empty if the product has no
    such option. A row of the jobs table is claimed until a
    time (digits: seconds since 1970): by a live execution for its lease, by a finished one for
    `FOREVER`, by a failed one not at all. An execution may claim what is claimed until before
    `claims_before`: now, or after `FOREVER` if it was forced. `follows_latest` is false if a user
    named a version of the object; otherwise the job is about the latest one. `lane` is whose jobs
    of AWS Batch go first.
    """

    job_id: str
    source: Source
    options: Options
    model: str
    work_prefix: str
    output_stem: str
    record_key: str
    inspected_at: str
    claims_before: str
    held_until: str
    follows_latest: bool
    lane: Lane = "uploads"


class InspectMedia(Job):
    """Identify an object and read its options.

    `input` is the execution's input untouched and unchecked: an S3 event, or what a user typed.
    `default_models` has a model for each role of the product that needs one. `ingest_bucket` is
    the only bucket to read; null if unknown. With `prompts_follow`, the model must take prompts,
    and they are given later, in a selection. With `hands_over`, media of another product are
    `OtherMedia`; for a state machine that could not hand them over, they are `UnsupportedMedia`.
    With `hands_over_requests`, an upload that asks for another product is `OtherProduct`, whose
    message begins with that product's state machine and a colon; for a state machine that does not
    know this error, it is `InvalidOptions`. `batch` is what the stage has of AWS Batch.
    """

    product: str
    input: object
    execution: str
    default_models: dict[str, str]
    ingest_bucket: str | None = None
    lease_s: int
    prompts_follow: bool = False
    hands_over: bool = False
    hands_over_requests: bool = False
    batch: BatchMachines = "off"


class Inspected(Result):
    """The job, and a plan with a field for each role; null where a role is not needed.

    Each product's contracts module has one subclass, with the product's own job and plan.
    """

    job: MediaJob
    plan: Contract


class ProductContract(NamedTuple):
    """The types with which one product's module narrows the common ones."""

    inspected: type[Inspected]
    job: type[MediaJob]
    options: type[Options]
    source: type[Source]


def read_product_contract(module: str) -> ProductContract:
    """Return the types of the product whose contracts are in `pipeline.contracts.<module>`."""
    contracts = importlib.import_module(f"{__package__}.{module}")
    (inspected,) = (
        value
        for value in vars(contracts).values()
        if isinstance(value, type) and issubclass(value, Inspected) and value is not Inspected
    )
    job: type[MediaJob] = _type_of(inspected, "job")
    return ProductContract(
        inspected, job, options=_type_of(job, "options"), source=_type_of(job, "source")
    )


def _type_of(contract: type[Contract], field: str) -> type[Any]:
    return cast("type[Any]", contract.model_fields[field].annotation)

"""The jobs and results of the cutout product: one frozen (job, result) pair per task."""

from typing import Annotated, Literal

from pydantic import AfterValidator, Field, StringConstraints

from pipeline.artifacts import Artifact
from pipeline.contracts.contract import Contract, Job, Result, Source
from pipeline.photo.prompts import MOST_SUBJECTS, SubjectPrompt

Refine = Literal["none", "fast", "matting", "auto"]
Resolution = Literal["full", "half", "quarter"]
PictureFormat = Literal["png", "webp"]
PictureKind = Literal["cutout", "mask", "preview"]
Effort = Literal["fast", "small"]
HexColour = Annotated[
    str, StringConstraints(pattern=r"^#[0-9a-fA-F]{6}([0-9a-fA-F]{2})?$"), AfterValidator(str.lower)
]
Percent = Annotated[int, Field(ge=0, le=100)]


def _each_once(kinds: tuple[PictureKind, ...]) -> tuple[PictureKind, ...]:
    return tuple(sorted(set(kinds)))


PictureKinds = Annotated[tuple[PictureKind, ...], Field(min_length=1), AfterValidator(_each_once)]
Prompts = Annotated[tuple[SubjectPrompt, ...], Field(max_length=MOST_SUBJECTS)]


class Options(Contract):
    """What a person may ask for, after defaults, profile, metadata and input are merged.

    `margin` is what a crop leaves around the subject, in percent of the subject's longer side.
    `prompts` has one entry for each subject to be cut out together; in a job, all in pixels.
    """

    model: str
    refine: Refine = "auto"
    format: PictureFormat = "png"
    effort: Effort = "fast"
    background: HexColour | None = None
    crop: bool = False
    margin: Percent = 0
    outputs: PictureKinds = ("cutout",)
    allow_fallback: bool = False
    prompts: Prompts = ()


class SourcePhoto(Source):
    """The photo as it was inspected. Width and height are pixels after EXIF rotation."""

    width: int
    height: int


class Plan(Contract):
    """Which model cuts the photo out, and what is left to try if its function is too small.

    `weights_key` is null for a hosted model, which has no weights to stage. `restage` is set by
    the state machine once staged weights have turned out incomplete.
    """

    model: str
    weights_key: str | None
    restage: bool = False
    degraded: bool = False
    fallback: "Plan | None" = None


class CutoutJob(Contract):
    """One photo's way through the cutout state machine.

    A row of the jobs table is held until a time (digits: seconds since 1970): a live execution
    holds it for its lease, a finished one for `FOREVER`, a failed one not at all. An execution may
    claim what is held until before `claims_before`: now, or after `FOREVER` if it was forced.
    """

    job_id: str
    source: SourcePhoto
    options: Options
    work_prefix: str
    output_stem: str
    manifest_key: str
    inspected_at: str
    claims_before: str
    held_until: str


class InspectPhoto(Job):
    """`input` is the execution input untouched and unchecked: an S3 event, or what was typed.

    `ingest_bucket` is the one that may be read; null where that is not known.
    """

    input: object
    execution: str
    default_model: str
    ingest_bucket: str | None = None
    lease_s: int


class PhotoInspected(Result):
    job: CutoutJob
    plan: Plan


class RemoveBackground(Job):
    job_id: str
    execution: str
    source: SourcePhoto
    model: str
    prompts: Prompts
    models_bucket: str
    weights_key: str | None
    work_bucket: str
    work_prefix: str


class Candidate(Contract):
    """One of a model's answers to a prompt, and its own opinion of it (about 0…1)."""

    mask: Artifact
    score: float
    chosen: bool


class PromptedSubject(Contract):
    candidates: tuple[Candidate, ...]


class BackgroundRemoved(Result):
    """`mask` is the model's raw opinion: an 8-bit grey PNG at the model's own resolution.

    `subjects` answers the prompts, in their order; `mask` is all that was chosen, together. The
    checksum of several weights files is that of their checksums; a hosted model has none.
    """

    mask: Artifact
    subjects: tuple[PromptedSubject, ...] = ()
    model: str
    weights_sha256: str | None


class RefineEdges(Job):
    job_id: str
    execution: str
    source: SourcePhoto
    options: Options
    mask: Artifact
    work_bucket: str
    work_prefix: str
    output_stem: str


class Picture(Contract):
    """One finished picture: where the task wrote it, and the key it is to be published under."""

    kind: PictureKind
    media_type: str
    width: int
    height: int
    artifact: Artifact
    work_key: str
    output_key: str


class Refinement(Contract):
    """How edges were made: the mode that was used, and what it had to make do with.

    `resolution` is how finely the budget let it work, null where the mask was taken as it is;
    `kept_mask` says why it was, where something else had been asked for.
    """

    mode: Refine
    budget_mb: int
    resolution: Resolution | None = None
    kept_mask: str | None = None


class EdgesRefined(Result):
    refinement: Refinement
    pictures: tuple[Picture, ...]

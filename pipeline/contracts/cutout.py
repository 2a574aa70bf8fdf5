"""The jobs and results of the cutout product: one frozen (job, result) pair per task."""

from typing import Annotated, Final, Literal

from pydantic import AfterValidator, Field, StringConstraints

from pipeline.artifacts import Artifact
from pipeline.contracts.contract import (
    Contract,
    Inspected,
    Job,
    MediaJob,
    Options,
    PlannedModel,
    Result,
    SourcePhoto,
)
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


_SUFFIX: Final[dict[PictureKind, str]] = {
    "cutout": "_bg_removed",
    "mask": "_mask",
    "preview": "_preview",
}

PictureKinds = Annotated[tuple[PictureKind, ...], Field(min_length=1), AfterValidator(_each_once)]
Prompts = Annotated[tuple[SubjectPrompt, ...], Field(max_length=MOST_SUBJECTS)]


class CutoutOptions(Options):
    """The options of a cutout.

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
    prompts: Prompts = ()


class CutoutJob(MediaJob):
    """The job of one photo in the cutout state machine."""

    source: SourcePhoto
    options: CutoutOptions


class CutoutPlan(Contract):
    """`mask` is the model that finds the subject."""

    mask: PlannedModel


class CutoutInspected(Inspected):
    job: CutoutJob
    plan: CutoutPlan


class InspectPhoto(Job):
    """Ask as state machines did before there were products. Accepted for one release."""

    input: object
    execution: str
    default_model: str
    ingest_bucket: str | None = None
    lease_s: int


class FormerCutoutJob(Contract):
    job_id: str
    source: SourcePhoto
    options: CutoutOptions
    work_prefix: str
    output_stem: str
    manifest_key: str
    inspected_at: str
    claims_before: str
    held_until: str


class PhotoInspected(Result):
    """The answer to InspectPhoto."""

    job: FormerCutoutJob
    plan: PlannedModel


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
    """A candidate mask for a prompt, with the model's own score (about 0…1)."""

    mask: Artifact
    score: float
    chosen: bool


class PromptedSubject(Contract):
    candidates: tuple[Candidate, ...]


class BackgroundRemoved(Result):
    """`mask` is the model's unrefined mask: an 8-bit grey PNG at the model's own resolution.

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
    options: CutoutOptions
    mask: Artifact
    work_bucket: str
    work_prefix: str
    output_stem: str


class Picture(Contract):
    """One output image: the file in the work bucket, and the key to publish it under."""

    kind: PictureKind
    media_type: str
    width: int
    height: int
    artifact: Artifact
    work_key: str
    output_key: str


class Refinement(Contract):
    """How edges were refined: the mode, the resolution and the memory used.

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


def picture_key(stem: str, *, kind: PictureKind, extension: str) -> str:
    """Return the key under which one picture of a photo is published."""
    return f"{stem}{_SUFFIX[kind]}.{extension}"

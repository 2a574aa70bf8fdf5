"""The jobs and results of the cutout product: one frozen (job, result) pair per task."""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Annotated, Any, Final

from pydantic import AfterValidator, BeforeValidator, Field, StringConstraints

from pipeline.artifacts import Artifact
from pipeline.contracts import cutout_words
from pipeline.contracts.contract import (
    Contract,
    Contradiction,
    Inspected,
    Job,
    MediaJob,
    Options,
    PlannedModel,
    PublishedJob,
    Result,
    SourcePhoto,
    no_truth_value,
)
from pipeline.photo.limits import MAX_SIDE
from pipeline.photo.prompts import MOST_SUBJECTS, SubjectPrompt

Refine = cutout_words.Refine
Resolution = cutout_words.Resolution
PictureFormat = cutout_words.PictureFormat
PictureKind = cutout_words.PictureKind
Effort = cutout_words.Effort
Output = cutout_words.Output
_HEX_COLOUR: Final = r"^#[0-9a-fA-F]{6}([0-9a-fA-F]{2})?$"


def _only_hex(value: object) -> object:
    """Refuse the name of a colour, and #rgb, with an example of what is accepted."""
    if isinstance(value, str) and not re.search(_HEX_COLOUR, value):
        raise ValueError("should be #rrggbb or #rrggbbaa, such as #ffffff for white")
    return value


HexColour = Annotated[
    str,
    StringConstraints(pattern=_HEX_COLOUR),
    BeforeValidator(_only_hex),
    AfterValidator(str.lower),
]


# Limits stand next to int, and the pattern next to str: behind a validator, they would be missing
# in the JSON Schema.
Percent = Annotated[int, Field(ge=0, le=100), BeforeValidator(no_truth_value)]
Side = Annotated[int, Field(ge=1, le=MAX_SIDE), BeforeValidator(no_truth_value)]


def _each_once(kinds: tuple[PictureKind, ...]) -> tuple[PictureKind, ...]:
    return tuple(sorted(set(kinds)))


_SUFFIX: Final[dict[PictureKind, str]] = {
    "cutout": "_bg_removed",
    "mask": "_mask",
    "preview": "_preview",
}
EXTENSIONS: Final[dict[PictureFormat, str]] = {
    "png": "png",
    "webp": "webp",
    "jpeg": "jpg",
    "avif": "avif",
}
_SHOWN_FIRST: Final[tuple[PictureKind, ...]] = ("cutout", "preview", "mask")


PictureKinds = Annotated[tuple[PictureKind, ...], Field(min_length=1), AfterValidator(_each_once)]
Prompts = Annotated[tuple[SubjectPrompt, ...], Field(max_length=MOST_SUBJECTS)]


class CutoutOptions(Options):
    """The options of a cutout.

    `margin` is what a crop leaves around the subject, in percent of the subject's longer side.
    `prompts` has one entry for each subject to be cut out together; in a job, all in pixels.
    `size` is the most pixels on the longer side of every output image.
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
    # Absent unless a user sets it: jobs without a size keep the ID that they had before this option
    # existed, and an edge refiner of that time accepts them.
    size: Side | None = Field(default=None, exclude_if=lambda side: side is None)

    def contradictions(self) -> Iterator[Contradiction]:
        """Yield the contradictions among these options."""
        if self.margin and not self.crop:
            yield Contradiction("margin", "crop", "only a crop has a margin")
        if self.outputs == ("mask",):
            if self.format != "png":
                yield Contradiction("format", "outputs", "a mask is always a PNG")
            if self.background is not None:
                yield Contradiction("background", "outputs", "a mask has no background")
        elif self.format == "jpeg":
            if not _is_opaque(self.background):
                yield Contradiction(
                    "format",
                    "background",
                    "a JPEG is never transparent: it needs an opaque background, such as #ffffff",
                    impossible=True,
                )
            if self.effort != "fast" and "mask" not in self.outputs:
                yield Contradiction("effort", "format", "a JPEG has one effort")


def _is_opaque(colour: HexColour | None) -> bool:
    return colour is not None and (len(colour) == len("#rrggbb") or colour.endswith("ff"))


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


class RefineEdges(PublishedJob):
    """Make the output images from a mask. `mask_output` is the `output` of the model that made it.

    An older state machine does not state `mask_output`.
    """

    job_id: str
    execution: str
    source: SourcePhoto
    options: CutoutOptions
    mask: Artifact
    mask_output: Output = "mask"
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


def shown_picture(pictures: Sequence[Mapping[str, Any]]) -> Mapping[str, Any]:
    """Return the output image to show of an execution's output: the cutout if there is one."""
    return min(pictures, key=lambda picture: _SHOWN_FIRST.index(picture["kind"]))

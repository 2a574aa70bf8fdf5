"""The jobs and results of a selection: a photo is encoded once, then each click is answered."""

from typing import Annotated, Final

from pydantic import Field

from pipeline.artifacts import Artifact
from pipeline.contracts.contract import Contract, Job, Result, SourcePhoto
from pipeline.photo.prompts import SubjectPrompt

# Levels of a candidate's PNG: the boundary of the subject, and levels for each logit beyond it.
BOUNDARY_LEVEL: Final = 128
LEVELS_PER_LOGIT: Final = 4

Side = Annotated[int, Field(ge=1, le=256)]


class PhotoArea(Contract):
    """The rectangle of a mask that the whole photo fills, in pixels of the mask."""

    x: float
    y: float
    width: float
    height: float


class MaskGrid(Contract):
    """The size of a photo's candidate masks, and where the photo lies on them.

    The photo's edges are those of `photo`: a side of the mask may be up to one pixel longer.
    """

    width: Side
    height: Side
    photo: PhotoArea


class EncodePhoto(Job):
    """Encode a photo for a model that takes prompts, and make its preview.

    `selection` is the selection's id, which is the execution's name.
    """

    selection: str
    execution: str
    source: SourcePhoto
    model: str
    models_bucket: str
    weights_key: str | None
    work_bucket: str


class PhotoEncoded(Result):
    """`embedding` is the address of the encoder's output in the work bucket.

    `preview` is the upright photo on white: a JPEG in sRGB, smaller than the photo if that is
    large.
    """

    model: str
    weights_sha256: str
    embedding: str
    preview: Artifact
    mask: MaskGrid


class SelectSubject(Job):
    """Answer one subject's points and box, in pixels of the upright photo, with candidate masks.

    `previous` is the PNG (base64) of an earlier candidate, which the model takes as a hint.
    """

    model: str
    models_bucket: str
    weights_key: str
    embedding: str
    width: int
    height: int
    prompt: SubjectPrompt
    previous: str | None = None


class SelectedMask(Contract):
    """A candidate: the model's own score (about 0…1), and an 8-bit grey PNG in base64.

    A level is `BOUNDARY_LEVEL` plus `LEVELS_PER_LOGIT` times the model's logit, clipped to 0…255.
    """

    score: float
    chosen: bool
    png: str


class SubjectSelected(Result):
    """At most three candidates, in the model's own order; one of them is chosen."""

    model: str
    candidates: tuple[SelectedMask, ...]


class PreparedSelection(Contract):
    """The output of `prepare-selection`: all that a click needs to know.

    `tasks` has the metrics and the provenance of each task.
    """

    source: SourcePhoto
    model: str
    weights_key: str
    weights_sha256: str
    embedding: str
    preview: Artifact
    mask: MaskGrid
    tasks: dict[str, object]

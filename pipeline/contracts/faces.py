"""The jobs and results of the faces product: one frozen (job, result) pair per task.

All coordinates are pixels of the photo after EXIF rotation, from its top left corner.
"""

from collections.abc import Iterator
from typing import Annotated, Final

from pydantic import AfterValidator, BeforeValidator, ConfigDict, Field

from pipeline.artifacts import Artifact
from pipeline.contracts import faces_words
from pipeline.contracts.contract import (
    Contract,
    Contradiction,
    Inspected,
    MediaJob,
    Options,
    PlannedModel,
    PublishedJob,
    Result,
    SourcePhoto,
    no_truth_value,
)

Attribute = faces_words.Attribute
Redaction = faces_words.Redaction
FaceFileKind = faces_words.FaceFileKind

MinScore = Annotated[float, Field(ge=0.05, le=1), BeforeValidator(no_truth_value)]
MaxFaces = Annotated[int, Field(ge=1, le=500), BeforeValidator(no_truth_value)]


def _each_once(attributes: tuple[Attribute, ...]) -> tuple[Attribute, ...]:
    return tuple(sorted(set(attributes)))


Attributes = Annotated[tuple[Attribute, ...], AfterValidator(_each_once)]

SUFFIXES: Final[dict[FaceFileKind, str]] = {
    "faces": "_faces.json",
    "preview": "_faces_preview.jpg",
    "redacted": "_faces_redacted",  # and the extension of its format
    "embeddings": "_faces.embeddings.safetensors",
    "embedded": "_faces.embeddings.json",
}


class FacesOptions(Options):
    """The options of faces.

    `attributes` are estimated of each face. Faces below `min_score` (0…1) are left out, and so are
    those of least score beyond `max_faces`. `small_faces` also searches the photo in parts, for
    faces that are too small for the whole. `preview` draws the faces' boxes into a copy. `redact`
    hides every face that was found in a copy of the photo, also those beyond `max_faces`. `embed`
    writes a vector of each face that is large and clear enough, with the model `embedder`.
    """

    model: str
    attributes: Attributes = ()
    min_score: MinScore = 0.5
    max_faces: MaxFaces = 100
    small_faces: bool = False
    preview: bool = False
    redact: Redaction | None = None
    embed: bool = False
    embedder: str | None = None

    def contradictions(self) -> Iterator[Contradiction]:
        """Yield the contradictions among these options."""
        if self.embedder is not None and not self.embed:
            yield Contradiction("embedder", "embed", "only embed makes vectors")


class FacesJob(MediaJob):
    """The job of one photo in the faces state machine."""

    source: SourcePhoto
    options: FacesOptions


class FacesPlan(Contract):
    """`detector` finds and describes faces; `embedder` is null unless asked for."""

    detector: PlannedModel
    embedder: PlannedModel | None


class FacesInspected(Inspected):
    job: FacesJob
    plan: FacesPlan


class FaceFile(Contract):
    """One output file: the file in the work bucket, and the key to publish it under."""

    kind: FaceFileKind
    media_type: str
    artifact: Artifact
    work_key: str
    output_key: str


class Box(Contract):
    """A rectangle. It may reach outside the photo."""

    x: float
    y: float
    width: float
    height: float


class Detection(Contract):
    box: Box
    score: float


class Pose(Contract):
    """Where a head points, in degrees, from its landmarks: 0, 0, 0 looks into the camera.

    `roll` is positive clockwise, `yaw` to the right of the picture, `pitch` downwards.
    """

    roll: float
    pitch: float
    yaw: float


class AgeAndGender(Contract):
    """Estimates. `age` is in years; the probability (0.5…1) is that of the gender."""

    age: float
    gender: str
    gender_probability: float = Field(alias="genderProbability")


class Face(Contract):
    """A face. Attributes that were not asked for are null, and missing in `_faces.json`.

    `landmarks` are the 68 points of dlib's order, or the five of a detector that finds no others:
    eyes, nose, corners of the mouth, first those on the left of the picture.
    """

    detection: Detection
    landmarks: tuple[tuple[float, float], ...]
    pose: Pose | None = None
    expressions: dict[str, float] | None = None
    age_and_gender: AgeAndGender | None = Field(default=None, alias="ageAndGender")


class FacesDocument(Contract):
    """The content of `_faces.json`: the faces by falling score; all fields by alias.

    `estimated` says in a sentence that attributes are estimates; null without any. An error about
    the content does not repeat it, because errors are logged.
    """

    model_config = ConfigDict(hide_input_in_errors=True)

    schema_version: int = Field(default=1, alias="schema")
    width: int
    height: int
    faces: tuple[Face, ...]
    estimated: str | None = None
    model: str
    weights_sha256: str


class AnalyzeFaces(PublishedJob):
    """Find the faces of a photo, describe them, and draw what is asked for."""

    job_id: str
    execution: str
    source: SourcePhoto
    options: FacesOptions
    model: str
    models_bucket: str
    weights_key: str | None
    work_bucket: str
    work_prefix: str
    output_stem: str


class FacesAnalyzed(Result):
    """`faces` is the `FacesDocument`; `files` has it, and the pictures that were asked for."""

    faces: Artifact
    files: tuple[FaceFile, ...]
    count: int
    model: str
    weights_sha256: str


class EmbeddedFace(Contract):
    """A face that was considered. `row` is its row in the tensor, or `rejected` says why not.

    `face` is its index in `_faces.json`; null if the embedder's own detector alone found it.
    """

    face: int | None
    detection: Detection
    row: int | None
    rejected: str | None


class EmbeddingsDocument(Contract):
    """The content of `_faces.embeddings.json`: what each row of the safetensors file stands for.

    Vectors have length 1. Two of the same model with a cosine similarity from `same_above` may be
    one person's.
    """

    schema_version: int = Field(default=1, alias="schema")
    dimension: int
    same_above: float
    faces: tuple[EmbeddedFace, ...]
    model: str
    weights_sha256: str


class EmbedFaces(PublishedJob):
    """Make a vector of each face that is large and clear enough for the model."""

    job_id: str
    execution: str
    source: SourcePhoto
    faces: Artifact
    model: str
    models_bucket: str
    weights_key: str | None
    work_bucket: str
    work_prefix: str
    output_stem: str


class FacesEmbedded(Result):
    """`files` are the vectors (safetensors) and the `EmbeddingsDocument`."""

    files: tuple[FaceFile, ...]
    count: int
    rejected: int
    dimension: int
    model: str
    weights_sha256: str


def output_key(stem: str, kind: FaceFileKind, *, extension: str = "") -> str:
    """Return the key under which one file of a photo is published."""
    return f"{stem}{SUFFIXES[kind]}{extension}"

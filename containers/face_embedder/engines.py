"""Load a row's model: one loader for each engine."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from containers.face_embedder.aligning import LANDMARKS, squeezed, straightened, stretched
from containers.face_embedder.faces import Candidate, analysed, matched
from containers.face_embedder.mtcnn import Mtcnn, Run, find_faces
from containers.face_embedder.network import Network, open_network, runtime
from containers.face_embedder.spec import DlibSpec, EmbedderSpec, FacenetSpec, Pixels, Tensor
from pipeline.contracts.faces import EmbedFaces, FacesDocument
from pipeline.declared.models import ModelRow
from pipeline.errors import InvalidOptions
from pipeline.model_context import staged_record, weights_of
from pipeline.photo.pixels import Reserve
from pipeline.weights.local_weights import combined_sha256
from pipeline.workbench import TaskContext


@dataclass(frozen=True)
class Embedder:
    """A model ready for one job.

    `find` returns the faces to consider, and `cut` a face as `network` takes it (side × side × 3),
    or None if the photo shows nothing of it. `sha256` is one checksum of all files.
    """

    spec: EmbedderSpec
    find: Callable[[Pixels, FacesDocument], list[Candidate]]
    cut: Callable[[Pixels, Candidate], Tensor | None]
    network: Network
    sha256: str


def load_embedder(row: ModelRow, job: EmbedFaces, context: TaskContext) -> Embedder:
    """Load the row's model. Raises WeightsNotStaged, WeightsMismatch or OutOfMemory."""
    files = weights_of(context.bench).files(staged_record(job), row, runtime())
    context.note(network="; ".join(file.remark for file in files))
    networks = tuple(
        open_network(
            file.path,
            optimised=file.optimised,
            memory=file.memory,
            threads=context.settings.threads,
        )
        for file in files
    )
    sha256 = combined_sha256(file.sha256 for file in files)
    return LOADERS[row.engine.name](row, networks, sha256, context.reserve)


def _load_facenet(
    row: ModelRow, networks: tuple[Network, ...], sha256: str, reserve: Reserve
) -> Embedder:
    spec = row.spec(FacenetSpec)
    pnet, rnet, onet, network = networks
    mtcnn = Mtcnn(
        _shaped(pnet, _pnets_shapes),
        _shaped(rnet, lambda pixels: [(len(pixels), 4), (len(pixels),)]),
        _shaped(onet, lambda pixels: [(len(pixels), 4), (len(pixels),), (len(pixels), 10)]),
    )

    def find(photo: Pixels, document: FacesDocument) -> list[Candidate]:
        return matched(find_faces(photo, mtcnn, reserve=reserve), document)

    def cut(photo: Pixels, face: Candidate) -> Tensor | None:
        if spec.align == "points":
            return straightened(photo, face.points, spec.side)
        return stretched(photo, face.detection.box, spec.side)

    return Embedder(spec, find, cut, network, sha256)


def _shaped(network: Network, shapes: Callable[[Tensor], list[tuple[int, ...]]]) -> Run:
    """Return the network, which raises WeightsMismatch for outputs of other shapes."""

    def run(pixels: Tensor) -> Sequence[Tensor]:
        answers = network(pixels)
        network.require_shapes(answers, shapes(pixels))
        return answers

    return run


def _pnets_shapes(pixels: Tensor) -> list[tuple[int, ...]]:
    count, _, height, width = pixels.shape
    cells = -(-(height - 10) // 2), -(-(width - 10) // 2)  # of 12 pixels each, in steps of two
    return [(count, 4, *cells), (count, *cells)]


def _load_dlib(
    row: ModelRow, networks: tuple[Network, ...], sha256: str, _reserve: Reserve
) -> Embedder:
    spec = row.spec(DlibSpec)
    (network,) = networks

    def cut(photo: Pixels, face: Candidate) -> Tensor | None:
        return squeezed(photo, face.points)

    return Embedder(spec, functools.partial(_with_landmarks, row, spec), cut, network, sha256)


def _with_landmarks(
    row: ModelRow, spec: DlibSpec, _photo: Pixels, document: FacesDocument
) -> list[Candidate]:
    faces = analysed(document)
    if any(len(face.points) != LANDMARKS for face in faces):
        raise InvalidOptions(
            f"{row.name} needs {LANDMARKS} landmarks of each face, which {document.model} does not "
            f"find; choose model = {spec.detector}, or another embedder"
        )
    return faces


_Loader = Callable[[ModelRow, tuple[Network, ...], str, Reserve], Embedder]
LOADERS: Final[Mapping[str, _Loader]] = {"facenet": _load_facenet, "dlib-resnet": _load_dlib}

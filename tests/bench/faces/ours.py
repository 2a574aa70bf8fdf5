"""Find, describe and embed faces with the containers' own code; print what the peers' programs do.

`python -m tests.bench.faces.ours JOB.json` reads {store, overlays, photos, rounds, analyzer,
attributes, min_score, embedder}. `store` is a folder with staged weights. `analyzer` and
`embedder` are rows of the catalogue, or null. Without an analyzer, the embedder finds the faces.
It prints a line of JSON for each photo, and one for the process. No face is rejected. Loading does
not count, as with the peers, and no photo is decoded.
"""

from __future__ import annotations

import dataclasses
import json
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from containers.face_analyzer.describing import describe
from containers.face_analyzer.detecting import detector_of
from containers.face_analyzer.finding import find_faces
from containers.face_analyzer.network import Networks, runtime
from containers.face_embedder.embedding import _cut, _embedded
from containers.face_embedder.engines import Embedder, load_embedder
from containers.face_embedder.faces import Candidate
from pipeline import hardware
from pipeline.contracts.faces import (
    EmbedFaces,
    Face,
    FacesDocument,
    FacesOptions,
)
from pipeline.model_context import catalogue_of, staged_record, weights_of
from pipeline.workbench import Settings, TaskContext, Workbench
from tests.bench.faces.raw_photos import RawPhoto, Rgb
from tests.bench.one_task import StreamingStore

ROOT: Final = Path(__file__).parents[3]
Told = dict[str, Any]


@dataclasses.dataclass(frozen=True)
class _Desk:
    """The models that were asked for, loaded."""

    options: FacesOptions
    detector: Any
    networks: Networks | None
    embedder: Embedder | None

    @classmethod
    def of(cls, asked: dict[str, Any]) -> _Desk:
        folder = Path(asked["store"])
        settings = Settings(
            scratch=folder.parent / "scratch", threads=1, accepted_licences=("unstated",),
            catalogue_overlays=tuple(map(Path, asked["overlays"])),
        )  # fmt: skip
        bench = Workbench(root=ROOT, settings=settings, store=StreamingStore(folder))
        context, catalogue = TaskContext(bench), catalogue_of(bench)
        detector = networks = embedder = None
        if asked["analyzer"]:
            row = catalogue.row(asked["analyzer"])
            record = staged_record(_job(row.name, row.weights_key))
            networks = Networks.of(row, weights_of(bench).files(record, row, runtime()), threads=1)
            detector = detector_of(row, networks)
        if asked["embedder"]:
            row = catalogue.row(asked["embedder"])
            embedder = load_embedder(row, _job(row.name, row.weights_key), context)
            spec = embedder.spec.model_copy(update={"least_score": 0.0, "least_side": 1})
            embedder = dataclasses.replace(embedder, spec=spec)
        options = FacesOptions(
            model=asked["analyzer"] or "", attributes=tuple(asked["attributes"]),
            min_score=asked["min_score"],
        )  # fmt: skip
        return cls(options, detector, networks, embedder)

    def look(self, photo: Rgb) -> tuple[list[Told], dict[str, float]]:
        """Return the faces of a photo, and the processor time of each step."""
        started = time.process_time()
        faces: Sequence[Face] = ()
        if self.networks:
            found = find_faces(self.detector, photo, self.options)
            faces = describe(found, photo, self.networks, self.options.attributes)
        analysed = time.process_time()
        if self.embedder is None:
            return [_described(face) for face in faces], {"cpu_s": analysed - started}
        document = FacesDocument(
            width=photo.shape[1], height=photo.shape[0], faces=tuple(faces),
            model=self.options.model, weights_sha256="",
        )  # fmt: skip
        candidates = self.embedder.find(photo, document)
        found_s = time.process_time() - started
        cut, crops = _cut(photo, candidates, self.embedder)
        vectors = _embedded(crops, self.embedder.network, self.embedder.spec.dimension)
        cpu = {"cpu_s": found_s, "embed_s": time.process_time() - started - found_s}
        rows = iter(vectors.tolist())
        return [
            _embedded_face(each, faces, None if each.rejected else next(rows)) for each in cut
        ], cpu


def _job(model: str, weights_key: str) -> EmbedFaces:
    """Return a job of which only the model is read here."""
    fields: Told = {"model": model, "models_bucket": "models", "weights_key": weights_key}
    return EmbedFaces.model_construct(**fields)


def _embedded_face(
    candidate: Candidate, faces: Sequence[Face], vector: Sequence[float] | None
) -> Told:
    if faces and candidate.face is not None:
        return _described(faces[candidate.face]) | {"descriptor": vector}
    box = candidate.detection.box
    return {
        "box": [box.x, box.y, box.width, box.height],
        "score": candidate.detection.score,
        "landmarks": candidate.points.tolist(),
        "descriptor": vector,
    }


def _described(face: Face) -> Told:
    box = face.detection.box
    told: Told = {
        "box": [box.x, box.y, box.width, box.height],
        "score": face.detection.score,
        "landmarks": [list(point) for point in face.landmarks],
        "expressions": face.expressions,
    }
    if estimated := face.age_and_gender:
        told |= estimated.model_dump(include={"age", "gender", "gender_probability"})
    return told


def main(path: str) -> None:
    asked = json.loads(Path(path).read_bytes())
    desk = _Desk.of(asked)
    loaded_mb = hardware._kilobytes("VmRSS") / 2**10
    for each in asked["photos"]:
        photo = RawPhoto("", Path(each["path"]), each["width"], each["height"])
        rounds = []
        for _ in range(asked["rounds"]):
            faces, cpu = desk.look(photo.pixels())
            rounds.append(cpu | {"resident_mb": hardware._kilobytes("VmRSS") / 2**10})
        sys.stdout.write(json.dumps({"faces": faces, "rounds": rounds}) + "\n")
    told = {"loaded_mb": loaded_mb, "peak_mb": hardware.peak_mb()}
    sys.stdout.write(json.dumps(told) + "\n")


if __name__ == "__main__":
    main(*sys.argv[1:])

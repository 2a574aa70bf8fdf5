"""Store the files of a photo's faces in the work bucket."""

from __future__ import annotations

from containers.face_analyzer.pictures import EncodedPicture
from pipeline.artifacts import ArtifactStore, Location
from pipeline.contracts.faces import AnalyzeFaces, FaceFile, FaceFileKind, output_key


def store_document(content: bytes, job: AnalyzeFaces, store: ArtifactStore) -> FaceFile:
    """Write `faces.json`."""
    return _stored("faces", EncodedPicture(content, "application/json", ".json"), job, store)


def store_picture(
    kind: FaceFileKind, picture: EncodedPicture, job: AnalyzeFaces, store: ArtifactStore
) -> FaceFile:
    """Write `faces_<kind>` with the picture's extension."""
    return _stored(kind, picture, job, store)


def _stored(
    kind: FaceFileKind, encoded: EncodedPicture, job: AnalyzeFaces, store: ArtifactStore
) -> FaceFile:
    name = "faces" if kind == "faces" else f"faces_{kind}"
    place = Location(job.work_bucket, f"{job.work_prefix}/{name}{encoded.extension}")
    # Only the name of a redacted photo depends on its format.
    extension = encoded.extension if kind == "redacted" else ""
    return FaceFile(
        kind=kind,
        media_type=encoded.media_type,
        artifact=store.write(place, encoded.content, media_type=encoded.media_type),
        work_key=place.key,
        output_key=output_key(job.output_stem, kind, extension=extension),
    )

"""Analyze faces: find the faces of a photo, describe them, and write what is asked for."""

from __future__ import annotations

from collections.abc import Sequence

from containers.face_analyzer.describing import describe, without_landmarks
from containers.face_analyzer.detecting import Detector, detector_of
from containers.face_analyzer.document import ESTIMATED, to_json
from containers.face_analyzer.finding import find_faces
from containers.face_analyzer.network import Networks, runtime
from containers.face_analyzer.preview import draw_preview
from containers.face_analyzer.redaction import redact
from containers.face_analyzer.spec import CONTAINER
from containers.face_analyzer.storing import store_document, store_picture
from pipeline.contracts.faces import (
    AnalyzeFaces,
    Face,
    FaceFile,
    FacesAnalyzed,
    FacesDocument,
    FacesOptions,
)
from pipeline.model_context import catalogue_of, staged_record, weights_of
from pipeline.photo.colour.conversion import converted
from pipeline.photo.colour.profiles import differs_from_srgb
from pipeline.photo.pixels import Photo, Pixels, decode
from pipeline.workbench import TaskContext, read_source


def analyze_faces(job: AnalyzeFaces, context: TaskContext) -> FacesAnalyzed:
    """Write the faces of a photo; a photo without one has an empty list.

    Raises UnsupportedMedia, CorruptMedia, MediaTooLarge, an error of a Source… name, UnknownModel,
    WeightsNotStaged, WeightsMismatch or OutOfMemory.
    """
    row = catalogue_of(context.bench, CONTAINER).row(job.model)
    with context.timed("model_load"):
        files = weights_of(context.bench).files(staged_record(job), row, runtime())
        context.note(network="; ".join(file.remark for file in files))
        networks = Networks.of(row, files, threads=context.settings.threads)
        detector = detector_of(row, networks)
    with context.timed("decode"):
        content = read_source(context.store, job.source)
        photo = decode(content, reserve=context.reserve)
        del content
        seen = _in_srgb(photo, context)
    faces, others = _faces_of(seen, detector, networks, job.options, context)
    del seen
    height, width = photo.rgb.shape[:2]
    document = FacesDocument(
        width=width,
        height=height,
        faces=faces,
        estimated=ESTIMATED if job.options.attributes else None,
        model=row.name,
        weights_sha256=networks.sha256,
    )
    with context.timed("store"):
        listed = store_document(to_json(document), job, context.store)
        pictures = _drawn(photo, faces, others, job, context)
    return FacesAnalyzed(
        faces=listed.artifact,
        files=(listed, *pictures),
        count=len(faces),
        model=row.name,
        weights_sha256=networks.sha256,
        metrics={"faces": float(len(faces))},
    )


def _in_srgb(photo: Photo, context: TaskContext) -> Pixels:
    """Return the photo on white as networks see it, H×W×3. The pictures keep its own profile."""
    shown, profile = photo.on_white(), photo.icc_profile
    if profile is None or not differs_from_srgb(profile):
        return shown
    context.reserve(shown.nbytes)
    return converted(shown, profile)


def _faces_of(
    seen: Pixels,
    detector: Detector,
    networks: Networks,
    options: FacesOptions,
    context: TaskContext,
) -> tuple[tuple[Face, ...], tuple[Face, ...]]:
    """Return the faces to list, and those beyond the number that was asked for."""
    with context.timed("find"):
        listed, others = find_faces(detector, seen, options).split(options.max_faces)
    with context.timed("describe"):
        faces = describe(listed, seen, networks, options.attributes)
        return faces, without_landmarks(others)


def _drawn(
    photo: Photo,
    faces: Sequence[Face],
    others: Sequence[Face],
    job: AnalyzeFaces,
    context: TaskContext,
) -> tuple[FaceFile, ...]:
    """Store the pictures that were asked for. The redaction hides faces that are not listed, too.

    It is the last one, because it overwrites the photo.
    """
    files = []
    if job.options.preview:
        picture = draw_preview(photo, faces)
        files.append(store_picture("preview", picture, job, context.store))
    if job.options.redact:
        picture = redact(
            photo, [*faces, *others], job.options.redact, media_type=job.source.media_type
        )
        files.append(store_picture("redacted", picture, job, context.store))
    return tuple(files)

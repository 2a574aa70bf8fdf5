"""Pictures into the work bucket, each with the key it is to be published under."""

from __future__ import annotations

from collections.abc import Sequence

from containers.edge_refiner.pictures import Rendered
from pipeline.artifacts import ArtifactStore, Location
from pipeline.contracts.cutout import Picture, RefineEdges, picture_key
from pipeline.photo.pixels import Photo, encode


def store_pictures(
    pictures: Sequence[Rendered], job: RefineEdges, photo: Photo, store: ArtifactStore
) -> tuple[Picture, ...]:
    """Encode and write each picture, keeping the photo's colour profile and resolution."""
    return tuple(_store(picture, job, photo, store) for picture in pictures)


def _store(rendered: Rendered, job: RefineEdges, photo: Photo, store: ArtifactStore) -> Picture:
    profile = None if rendered.kind == "mask" else photo.icc_profile
    content = encode(
        rendered.pixels,
        picture_format=rendered.format,
        effort=job.options.effort,
        icc_profile=profile,
        dpi=photo.dpi,
    )
    media_type = f"image/{rendered.format}"
    work_key = f"{job.work_prefix}/{rendered.kind}.{rendered.format}"
    place = Location(job.work_bucket, work_key)
    height, width = rendered.pixels.shape[:2]
    return Picture(
        kind=rendered.kind,
        media_type=media_type,
        width=width,
        height=height,
        artifact=store.write(place, content, media_type=media_type),
        work_key=work_key,
        output_key=picture_key(job.output_stem, kind=rendered.kind, extension=rendered.format),
    )

"""Read the mask from the work bucket and write the output images to it."""

from __future__ import annotations

from collections.abc import Sequence

from containers.edge_refiner.pictures import Rendered
from pipeline.artifacts import Artifact, ArtifactStore, Location
from pipeline.contracts.cutout import EXTENSIONS, Picture, RefineEdges, picture_key
from pipeline.photo.encoding import encode
from pipeline.photo.pixels import Photo, Pixels, decode


def read_mask(store: ArtifactStore, artifact: Artifact) -> Pixels:
    """Read the model's mask: h×w uint8, 0 background to 255 foreground."""
    return decode(store.read(Location.parse(artifact.uri))).rgb[..., 0]


def store_pictures(
    pictures: Sequence[Rendered], job: RefineEdges, photo: Photo, store: ArtifactStore
) -> tuple[Picture, ...]:
    """Encode and write each output image with its colour profile and the photo's resolution."""
    return tuple(_store(picture, job, photo, store) for picture in pictures)


def _store(rendered: Rendered, job: RefineEdges, photo: Photo, store: ArtifactStore) -> Picture:
    content = encode(
        rendered.pixels,
        picture_format=rendered.format,
        effort=job.options.effort,
        icc_profile=rendered.icc_profile,
        dpi=photo.dpi,
    )
    media_type, extension = f"image/{rendered.format}", EXTENSIONS[rendered.format]
    work_key = f"{job.work_prefix}/{rendered.kind}.{extension}"
    height, width = rendered.pixels.shape[:2]
    return Picture(
        kind=rendered.kind,
        media_type=media_type,
        width=width,
        height=height,
        artifact=store.write(Location(job.work_bucket, work_key), content, media_type=media_type),
        work_key=work_key,
        output_key=picture_key(job.output_stem, kind=rendered.kind, extension=extension),
    )

"""RefineEdges reads a photo and a mask from the store and writes the output images to it."""

from __future__ import annotations

import hashlib
import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageCms

from containers.edge_refiner.handler import handler
from pipeline.artifacts import Artifact, LocalStore, Location
from pipeline.contracts.contract import SourcePhoto
from pipeline.contracts.cutout import CutoutOptions, EdgesRefined, Picture, RefineEdges
from pipeline.errors import SourceChanged, SourceMissing
from pipeline.photo.encoding import QUALITY, encode
from pipeline.photo.pixels import Pixels
from pipeline.workbench import Settings, TaskContext, Workbench
from tests.conftest import ROOT
from tests.containers.edge_refiner import NIGHT, SAND, coarse_mask, composite, disk
from tests.pictures import unpng

TRUE = disk(120)
PROFILE = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
SECRET = b"12 Garden Lane"
GPS_IFD, GPS_LATITUDE, DESCRIPTION, ORIENTATION = 0x8825, 2, 0x010E, 0x0112


@pytest.fixture
def context(tmp_path: Path) -> TaskContext:
    settings = Settings(scratch=tmp_path / "scratch")
    store = LocalStore(tmp_path / "store")
    return TaskContext(Workbench(root=ROOT, settings=settings, store=store))


def jpeg(pixels: Pixels, *, orientation: int = 1) -> bytes:
    """A photo with a colour profile, a position and an author."""
    exif = Image.Exif()
    exif[DESCRIPTION] = SECRET.decode()
    exif[ORIENTATION] = orientation
    exif.get_ifd(GPS_IFD)[GPS_LATITUDE] = (48.0, 51.0, 30.25)
    buffer = io.BytesIO()
    image = Image.fromarray(pixels)
    image.save(buffer, "JPEG", quality=95, exif=exif, icc_profile=PROFILE, dpi=(300, 300))
    return buffer.getvalue()


def job_for(context: TaskContext, content: bytes, mask: Pixels, **options: object) -> RefineEdges:
    photo = context.store.write(Location("photos", "trips/cat.jpg"), content, media_type="")
    source = SourcePhoto(
        bucket="photos", key="trips/cat.jpg", version_id=None, etag="", sha256=photo.sha256,
        bytes=photo.bytes, media_type="image/jpeg", width=120, height=120,
    )  # fmt: skip
    place = Location("scratch", "jobs/1/mask-of-the-model.png")
    return RefineEdges(
        schema_version=1, job_id="1", execution="e", source=source,
        options=CutoutOptions.model_validate({"model": "brightness"} | options),
        mask=context.store.write(place, encode(mask, picture_format="png"), media_type=""),
        work_bucket="scratch", work_prefix="jobs/1", output_stem="trips/cat",
    )  # fmt: skip


def run(job: RefineEdges, context: TaskContext) -> EdgesRefined:
    return handler.__wrapped__(job, context)  # type: ignore[attr-defined, no-any-return]


def refined(context: TaskContext, **options: object) -> dict[str, Picture]:
    """Return the output images of a sand-coloured disk, by kind."""
    content = jpeg(composite(SAND, NIGHT, TRUE))
    result = run(job_for(context, content, coarse_mask(TRUE), **options), context)
    return {picture.kind: picture for picture in result.pictures}


def cutout_of(result: EdgesRefined, context: TaskContext) -> Pixels:
    return unpng(stored(context, result.pictures[0].artifact))


def stored(context: TaskContext, artifact: Artifact) -> bytes:
    return context.store.read(Location.parse(artifact.uri))


@pytest.mark.parametrize(
    ("picture_format", "extension"),
    [("png", "png"), ("webp", "webp"), ("jpeg", "jpg"), ("avif", "avif")],
)
def test_each_stored_image_matches_its_description(
    context: TaskContext, picture_format: str, extension: str
) -> None:
    every = ("cutout", "mask", "preview")
    pictures = refined(context, outputs=every, format=picture_format, background="#ffffff")

    assert {kind: (picture.work_key, picture.output_key) for kind, picture in pictures.items()} == {
        "cutout": (f"jobs/1/cutout.{extension}", f"trips/cat_bg_removed.{extension}"),
        "mask": ("jobs/1/mask.png", "trips/cat_mask.png"),
        "preview": (f"jobs/1/preview.{extension}", f"trips/cat_preview.{extension}"),
    }
    for picture in pictures.values():
        content = stored(context, picture.artifact)
        assert picture.artifact.uri == f"s3://scratch/{picture.work_key}"
        assert picture.artifact.sha256 == hashlib.sha256(content).hexdigest()
        assert picture.artifact.bytes == len(content)
        with Image.open(io.BytesIO(content)) as image:
            assert image.size == (picture.width, picture.height) == (120, 120)
            assert image.get_format_mimetype() == picture.media_type


def test_the_cutout_contains_only_the_subject(context: TaskContext) -> None:
    content = stored(context, refined(context)["cutout"].artifact)

    with Image.open(io.BytesIO(content)) as image:
        pixels = np.asarray(image)
    assert pixels.shape == (120, 120, 4)
    np.testing.assert_allclose(pixels[60, 60], (*SAND, 255), atol=3)
    assert not pixels[:5].any()


@pytest.mark.parametrize(
    ("picture_format", "background"),
    [
        ("png", None), ("png", "#ffffff"), ("webp", None), ("webp", "#ffffff"),
        ("jpeg", "#ffffff"), ("avif", None), ("avif", "#ffffff"),
    ],
)  # fmt: skip
def test_cutout_and_preview_keep_the_colour_profile(
    context: TaskContext, picture_format: str, background: str | None
) -> None:
    every = ("cutout", "mask", "preview")
    pictures = refined(context, outputs=every, format=picture_format, background=background)

    kept = {}
    for kind, picture in pictures.items():
        with Image.open(io.BytesIO(stored(context, picture.artifact))) as image:
            kept[kind] = image.info.get("icc_profile")
    assert kept == {"cutout": PROFILE, "preview": PROFILE, "mask": None}


@pytest.mark.parametrize("picture_format", ["png", "webp", "jpeg", "avif"])
def test_where_and_by_whom_a_photo_was_taken_is_not_passed_on(
    context: TaskContext, picture_format: str
) -> None:
    source = jpeg(composite(SAND, NIGHT, TRUE))
    assert SECRET in source
    assert b"Exif" in source

    pictures = refined(
        context, outputs=("cutout", "mask", "preview"), format=picture_format, background="#ffffff"
    )

    for picture in pictures.values():
        content = stored(context, picture.artifact)
        assert SECRET not in content
        assert b"exif" not in content.lower()
        with Image.open(io.BytesIO(content)) as image:
            assert not image.getexif()


@pytest.mark.parametrize(
    ("picture_format", "quality"),
    [("png", None), ("webp", None), ("jpeg", QUALITY["jpeg"]), ("avif", QUALITY["avif"])],
)
def test_the_result_has_the_quality_of_a_format_that_loses_colours(
    context: TaskContext, picture_format: str, quality: int | None
) -> None:
    content = jpeg(composite(SAND, NIGHT, TRUE))
    wishes = {"format": picture_format, "background": "#ffffff", "outputs": ("mask", "cutout")}

    result = run(job_for(context, content, coarse_mask(TRUE), **wishes), context)

    assert result.metrics.get("encoder_quality") == quality


def test_a_png_keeps_the_print_resolution(context: TaskContext) -> None:
    content = stored(context, refined(context)["cutout"].artifact)

    with Image.open(io.BytesIO(content)) as image:
        assert image.info["dpi"] == pytest.approx((300, 300), abs=0.1)


def test_a_rotated_photo_is_refined_upright(context: TaskContext) -> None:
    wide = np.full((20, 60, 3), SAND, dtype=np.uint8)
    mask = np.full((8, 8), 255, dtype=np.uint8)

    (picture,) = run(job_for(context, jpeg(wide, orientation=6), mask), context).pictures

    assert (picture.width, picture.height) == (20, 60)


@pytest.mark.parametrize(
    ("mode", "used"),
    [("none", "none"), ("fast", "fast"), ("matting", "matting")],
)
def test_the_result_has_the_mode_that_was_used(context: TaskContext, mode: str, used: str) -> None:
    content = jpeg(composite(SAND, NIGHT, TRUE))

    result = run(job_for(context, content, coarse_mask(TRUE), refine=mode), context)

    assert result.refinement.mode == used
    assert result.refinement.budget_mb == context.settings.memory_mb
    assert set(context.timings) == {"decode_ms", "refine_ms", "compose_ms", "encode_ms"}


@pytest.mark.parametrize(
    ("change", "error"),
    [({"sha256": "0" * 64}, SourceChanged), ({"key": "gone.jpg"}, SourceMissing)],
)
def test_a_photo_that_changed_after_inspection_raises(
    context: TaskContext, change: dict[str, str], error: type[Exception]
) -> None:
    job = job_for(context, jpeg(composite(SAND, NIGHT, TRUE)), coarse_mask(TRUE))
    other = job.model_copy(update={"source": job.source.model_copy(update=change)})

    with pytest.raises(error):
        run(other, context)


def test_a_mask_that_is_alpha_is_followed_in_part_and_its_colours_are_unmixed(
    context: TaskContext,
) -> None:
    true = disk(120, softness=12)
    job = job_for(context, jpeg(composite(SAND, NIGHT, true)), coarse_mask(true, side=30))

    as_mask, as_alpha = (
        cutout_of(run(job.model_copy(update={"mask_output": output}), context), context)
        for output in ("mask", "alpha")
    )

    assert not np.array_equal(as_mask[..., 3], as_alpha[..., 3])
    soft = (as_alpha[..., 3] > 100) & (as_alpha[..., 3] < 200)
    assert np.abs(as_alpha[soft][:, :3].mean(axis=0) - SAND).max() < 12


def test_a_job_of_an_older_state_machine_has_a_mask(context: TaskContext) -> None:
    job = job_for(context, jpeg(composite(SAND, NIGHT, TRUE)), coarse_mask(TRUE))

    written = job.model_dump(by_alias=True, mode="json")
    del written["mask_output"]

    assert RefineEdges.model_validate(written).mask_output == "mask"

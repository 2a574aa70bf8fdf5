"""RemoveBackground, from a photo in a store to a mask in a store."""

from __future__ import annotations

import hashlib
import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from containers.background_remover.handler import handler
from pipeline.artifacts import LocalStore, Location
from pipeline.contracts.contract import SourcePhoto
from pipeline.contracts.cutout import BackgroundRemoved, RemoveBackground
from pipeline.errors import NoSubject, OutOfMemory, SourceChanged, SourceMissing, WeightsNotStaged
from pipeline.photo.pixels import Pixels
from pipeline.weights.staged import StagedFile, StagedWeights
from pipeline.workbench import Settings, TaskContext, Workbench
from tests.conftest import ROOT
from tests.models import SIZE, Shelf

RIGHT_HALF = np.zeros((SIZE, SIZE), dtype=np.uint8)
RIGHT_HALF[:, SIZE // 2 :] = 255


@pytest.fixture
def context(shelf: Shelf, tmp_path: Path) -> TaskContext:
    settings = Settings(catalogue_overlays=(shelf.catalogue,), scratch=tmp_path / "scratch")
    store = LocalStore(tmp_path / "store")
    return TaskContext(Workbench(root=ROOT, settings=settings, store=store))


def stage(context: TaskContext, shelf: Shelf, model: str) -> str:
    """Put a model of the shelf in the models bucket and return its manifest's key."""
    name = f"{model}.onnx"
    content = (shelf.folder / name).read_bytes()
    artifact = context.store.write(Location("models", name), content, media_type="")
    digest = f"sha256:{artifact.sha256}"
    files = (StagedFile(name=name, digest=digest, source="file:///shelf", artifact=artifact),)
    weights = StagedWeights(model=model, licence="MIT", files=files)
    place = Location("models", f"{model}.json")
    context.store.write(place, weights.model_dump_json().encode(), media_type="")
    return place.key


def png(pixels: Pixels, **options: object) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "PNG", **options)
    return buffer.getvalue()


def job_for(context: TaskContext, content: bytes, **changes: object) -> RemoveBackground:
    location = Location("photos", "cat.png")
    artifact = context.store.write(location, content, media_type="image/png")
    source = SourcePhoto(
        **location._asdict(), etag="", sha256=artifact.sha256, bytes=artifact.bytes,
        media_type="image/png", width=1, height=1,
    )  # fmt: skip
    fields = {
        "schema": 1, "job_id": "1", "execution": "e", "source": source, "model": "brightness",
        "prompts": (), "models_bucket": "models", "weights_key": "brightness.json",
        "work_bucket": "scratch", "work_prefix": "jobs/1",
    }  # fmt: skip
    return RemoveBackground.model_validate(fields | changes)


def run(job: RemoveBackground, context: TaskContext) -> BackgroundRemoved:
    return handler.__wrapped__(job, context)  # type: ignore[attr-defined, no-any-return]


def test_the_mask_is_stored_as_a_grey_png_at_the_models_size(
    context: TaskContext, shelf: Shelf
) -> None:
    stage(context, shelf, "brightness")

    result = run(job_for(context, png(np.dstack([RIGHT_HALF] * 3))), context)

    stored = context.store.read(Location("scratch", "jobs/1/mask.png"))
    assert result.mask.uri == "s3://scratch/jobs/1/mask.png"
    assert result.mask.sha256 == hashlib.sha256(stored).hexdigest()
    assert result.mask.bytes == len(stored)
    with Image.open(io.BytesIO(stored)) as mask:
        assert (mask.format, mask.mode) == ("PNG", "L")
        np.testing.assert_array_equal(np.asarray(mask), RIGHT_HALF)


def test_the_result_names_its_model_and_weights_and_brings_figures(
    context: TaskContext, shelf: Shelf
) -> None:
    stage(context, shelf, "brightness")

    result = run(job_for(context, png(np.dstack([RIGHT_HALF] * 3))), context)

    weights = (shelf.folder / "brightness.onnx").read_bytes()
    assert (result.model, result.weights_sha256) == (
        "brightness",
        hashlib.sha256(weights).hexdigest(),
    )
    assert result.metrics == {
        "subject_coverage": 0.5,
        "mask_softness": 0.0,
        "mask_confidence": 1.0,
        "subject_x": 0.75,
        "subject_y": 0.5,
        "optimised": 0.0,
        "gpu": 0.0,
    }
    assert set(context.timings) == {
        "model_load_ms", "decode_ms", "prepare_ms", "infer_ms", "store_ms",
    }  # fmt: skip


def test_the_network_sees_a_transparent_photo_on_white(context: TaskContext, shelf: Shelf) -> None:
    stage(context, shelf, "brightness")
    black_left_of_nothing = np.dstack([np.zeros((SIZE, SIZE, 3), np.uint8), 255 - RIGHT_HALF])

    result = run(job_for(context, png(black_left_of_nothing)), context)

    stored = context.store.read(Location.parse(result.mask.uri))
    with Image.open(io.BytesIO(stored)) as mask:
        np.testing.assert_array_equal(np.asarray(mask), RIGHT_HALF)


def test_the_network_sees_a_turned_photo_upright(context: TaskContext, shelf: Shelf) -> None:
    stage(context, shelf, "brightness")
    exif = Image.Exif()
    exif[0x0112] = 6  # to be turned clockwise, which takes the bottom to the left
    top_half = np.dstack([RIGHT_HALF.T[::-1]] * 3)

    result = run(job_for(context, png(top_half, exif=exif)), context)

    stored = context.store.read(Location.parse(result.mask.uri))
    with Image.open(io.BytesIO(stored)) as mask:
        np.testing.assert_array_equal(np.asarray(mask), RIGHT_HALF)


def test_a_photo_in_which_nothing_stands_out_leaves_no_mask(
    context: TaskContext, shelf: Shelf
) -> None:
    stage(context, shelf, "brightness")

    with pytest.raises(NoSubject):
        run(job_for(context, png(np.full((9, 9, 3), 100, np.uint8))), context)
    with pytest.raises(KeyError):
        context.store.read(Location("scratch", "jobs/1/mask.png"))


def test_a_photo_that_is_all_transparent_shows_no_subject(
    context: TaskContext, shelf: Shelf
) -> None:
    stage(context, shelf, "brightness")
    hidden = np.dstack([np.dstack([RIGHT_HALF] * 3), np.zeros((SIZE, SIZE), np.uint8)])

    with pytest.raises(NoSubject, match="transparent"):
        run(job_for(context, png(hidden)), context)


def test_a_photo_the_function_has_no_memory_for_is_not_decoded(
    shelf: Shelf, tmp_path: Path
) -> None:
    settings = Settings(
        catalogue_overlays=(shelf.catalogue,), scratch=tmp_path / "scratch", memory_mb=128
    )
    bench = Workbench(root=ROOT, settings=settings, store=LocalStore(tmp_path / "store"))
    context = TaskContext(bench)
    stage(context, shelf, "brightness")

    with pytest.raises(OutOfMemory, match="the function has 128 MB"):
        run(job_for(context, png(np.zeros((9, 9, 3), np.uint8))), context)


def test_a_model_too_large_for_the_function_is_out_of_memory(
    context: TaskContext, shelf: Shelf
) -> None:
    key = stage(context, shelf, "hungry")
    job = job_for(context, png(np.zeros((9, 9, 3), np.uint8)), model="hungry", weights_key=key)

    with pytest.raises(OutOfMemory):
        run(job, context)


def test_weights_that_are_not_staged_are_named(context: TaskContext) -> None:
    with pytest.raises(WeightsNotStaged, match=r"s3://models/brightness\.json"):
        run(job_for(context, png(np.zeros((9, 9, 3), np.uint8))), context)


@pytest.mark.parametrize(
    ("change", "error"),
    [({"sha256": "0" * 64}, SourceChanged), ({"key": "gone.png"}, SourceMissing)],
)
def test_a_photo_other_than_the_inspected_one_is_refused(
    context: TaskContext, shelf: Shelf, change: dict[str, str], error: type[Exception]
) -> None:
    stage(context, shelf, "brightness")
    job = job_for(context, png(np.zeros((9, 9, 3), np.uint8)))
    other = job.model_copy(update={"source": job.source.model_copy(update=change)})

    with pytest.raises(error):
        run(other, context)

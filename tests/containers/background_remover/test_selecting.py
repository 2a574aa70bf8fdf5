"""A photo is encoded once for clicks; each click is answered by the cut decoder alone."""

from __future__ import annotations

import base64
import hashlib
import io
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from containers.background_remover.handler import handler
from containers.background_remover.selecting import offered
from containers.background_remover.small_masks import from_png
from containers.model_downloader.handler import handler as stage_weights
from pipeline.artifacts import LocalStore, Location
from pipeline.contracts.contract import SourcePhoto
from pipeline.contracts.cutout import BackgroundRemoved, RemoveBackground
from pipeline.contracts.selection import EncodePhoto, PhotoEncoded, SelectSubject, SubjectSelected
from pipeline.contracts.weights import StageWeights
from pipeline.errors import SourceMissing, WeightsMismatch, WeightsNotStaged
from pipeline.model_context import catalogue_of
from pipeline.photo.pixels import Pixels
from pipeline.photo.prompts import SubjectPrompt
from pipeline.workbench import Settings, TaskContext, Workbench
from tests.conftest import ROOT
from tests.models import Shelf
from tests.pictures import png, square, unpng
from tests.sam_models import CANVAS, FAR, NEAR, SCORES

WHITE = np.full((*CANVAS, 3), 255, np.uint8)
STANDING = np.full((128, 96, 3), 255, np.uint8)


def sha256_of(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


class Desk:
    """A model that is staged, and a photo to be selected from."""

    def __init__(self, shelf: Shelf, folder: Path) -> None:
        self.store = LocalStore(folder / "store")
        self._settings = Settings(
            catalogue_overlays=(shelf.catalogue,),
            weights_mirror=shelf.mirror,
            scratch=folder / "scratch",
        )
        self.row = catalogue_of(self.context().bench).row("pointer")
        job = StageWeights(schema_version=1, model="pointer", models_bucket="models", force=False)
        stage_weights.__wrapped__(job, self.context())  # type: ignore[attr-defined]

    def context(self) -> TaskContext:
        """A new process."""
        return TaskContext(Workbench(root=ROOT, settings=self._settings, store=self.store))

    def source(self, picture: Pixels, *, content: bytes | None = None) -> SourcePhoto:
        content = content or png(picture)
        self.store.write(Location("in", "cat.png"), content, media_type="image/png")
        return SourcePhoto(
            bucket="in", key="cat.png", version_id=None, etag="e", sha256=sha256_of(content),
            bytes=len(content), media_type="image/png",
            width=picture.shape[1], height=picture.shape[0],
        )  # fmt: skip

    def encode(self, picture: Pixels, context: TaskContext | None = None) -> PhotoEncoded:
        job = EncodePhoto(
            schema_version=1, selection="s1", execution="e1", source=self.source(picture),
            model="pointer", models_bucket="models", weights_key=self.row.weights_key,
            work_bucket="work",
        )  # fmt: skip
        done: PhotoEncoded = handler.__wrapped__(job, context or self.context())  # type: ignore[attr-defined]
        return done

    def select(
        self,
        picture: Pixels,
        encoded: PhotoEncoded,
        context: TaskContext | None = None,
        previous: str | None = None,
        **prompt: Any,
    ) -> SubjectSelected:
        job = SelectSubject(
            schema_version=1, model="pointer", models_bucket="models",
            weights_key=self.row.weights_key, embedding=encoded.embedding,
            width=picture.shape[1], height=picture.shape[0],
            prompt=SubjectPrompt.model_validate(prompt), previous=previous,
        )  # fmt: skip
        done: SubjectSelected = handler.__wrapped__(job, context or self.context())  # type: ignore[attr-defined]
        return done

    def change_record(self, **fields: Any) -> None:
        """Change what the staged weights record says of the decoder; None removes a field."""
        place = Location("models", self.row.weights_key)
        record = json.loads(self.store.read(place))
        decoder = record["files"][1]
        for name, value in fields.items():
            decoder.pop(name, None)
            if value is not None:
                decoder[name] = value
        self.store.write(place, json.dumps(record).encode(), media_type="application/json")


@pytest.fixture
def desk(shelf: Shelf, tmp_path: Path) -> Desk:
    return Desk(shelf, tmp_path)


def chosen(selected: SubjectSelected) -> Pixels:
    (mask,) = (each.png for each in selected.candidates if each.chosen)
    return unpng(base64.b64decode(mask))


def disc(shape: tuple[int, int], x: float, y: float, radius: float) -> Any:
    """A disc of the canvas's pixels, each of which has 4 × 4 pixels of a mask."""
    rows, columns = np.mgrid[: shape[0], : shape[1]] + 0.5
    return ((columns - x) ** 2 + (rows - y) ** 2 < radius**2).repeat(4, axis=0).repeat(4, axis=1)


def on(x: float, y: float, label: int = 1) -> dict[str, float]:
    return {"x": x, "y": y, "label": label}


def test_one_point_gets_part_thing_and_group(desk: Desk) -> None:
    selected = desk.select(WHITE, desk.encode(WHITE), points=[on(20, 15)])

    assert [each.score for each in selected.candidates] == list(SCORES[1:])
    assert [each.chosen for each in selected.candidates] == [False, True, False]
    np.testing.assert_array_equal(chosen(selected) >= 128, disc(CANVAS, 20, 15, FAR))
    assert set(np.unique(chosen(selected))) == {128 - 80, 128 + 80}


def test_several_marks_get_their_own_candidate_and_the_best_others(desk: Desk) -> None:
    points = [on(20, 15), on(40, 25), on(22, 15, 0)]

    selected = desk.select(WHITE, desk.encode(WHITE), points=points)

    assert [each.score for each in selected.candidates] == [SCORES[0], SCORES[2], SCORES[3]]
    assert [each.chosen for each in selected.candidates] == [True, False, False]
    expected = disc(CANVAS, 20, 15, FAR) | disc(CANVAS, 40, 25, FAR)
    expected &= ~disc(CANVAS, 22, 15, NEAR)
    np.testing.assert_array_equal(chosen(selected) >= 128, expected)


@pytest.mark.parametrize(
    ("scores", "best", "shown"),
    [
        ([0.9, 0.1, 0.2, 0.3], 3, [1, 2, 3]),
        ([0.1, 0.3, 0.1, 0.2], 0, [0, 1, 3]),
        ([0.1, 0.2, 0.3], 2, [0, 1, 2]),
        ([0.5], 0, [0]),
        ([0.1, 0.2, 0.3, 0.4, 0.5], 4, [2, 3, 4]),
    ],
)
def test_at_most_three_candidates_are_offered(
    scores: list[float], best: int, shown: list[int]
) -> None:
    assert offered(np.array(scores, np.float32), best) == shown


def test_a_standing_photo_is_answered_upright(desk: Desk) -> None:
    encoded = desk.encode(STANDING)

    mask = chosen(desk.select(STANDING, encoded, points=[on(70, 30)]))

    assert mask.shape == (encoded.mask.height, encoded.mask.width) == (256, 192)
    np.testing.assert_array_equal(mask >= 128, disc((64, 48), 35, 15, FAR))


def test_the_answer_is_that_of_a_cutout_at_a_lower_resolution(desk: Desk) -> None:
    picture = square(side=64, left=20, top=8, size=30)[:48]
    prompt: dict[str, Any] = {
        "points": [on(30, 20)],
        "box": {"x0": 16, "y0": 4, "x1": 60, "y1": 44},
    }
    context = desk.context()
    job = RemoveBackground(
        schema_version=1, job_id="j", execution="e", source=desk.source(picture), model="pointer",
        prompts=(SubjectPrompt.model_validate(prompt),), models_bucket="models",
        weights_key=desk.row.weights_key, work_bucket="work", work_prefix="j/1",
    )  # fmt: skip
    whole: BackgroundRemoved = handler.__wrapped__(job, context)  # type: ignore[attr-defined]

    selected = desk.select(picture, desk.encode(picture), **prompt)

    mask = unpng(desk.store.read(Location.parse(whole.mask.uri)))
    assert mask.shape == (48, 64)
    np.testing.assert_array_equal(chosen(selected)[2::4, 2::4] >= 128, mask >= 128)


def test_an_earlier_mask_is_a_hint(desk: Desk) -> None:
    encoded = desk.encode(WHITE)
    box: dict[str, Any] = {"box": {"x0": 10, "y0": 5, "x1": 40, "y1": 30}}
    earlier = desk.select(WHITE, encoded, points=[on(25, 17)])
    hint = earlier.candidates[1].png

    alone = chosen(desk.select(WHITE, encoded, **box)) >= 128
    hinted = chosen(desk.select(WHITE, encoded, previous=hint, **box)) >= 128

    np.testing.assert_array_equal(hinted, alone & disc(CANVAS, 25, 17, FAR))
    assert (from_png(hint, encoded.mask) > 0).sum() == disc(CANVAS, 25, 17, FAR).sum()


def test_a_hint_is_laid_where_the_model_sees_the_photo(desk: Desk) -> None:
    """A standing photo lies on its side on the canvas, and so must its hint."""
    encoded = desk.encode(STANDING)
    hint = desk.select(STANDING, encoded, points=[on(70, 30)]).candidates[1].png

    hinted = chosen(
        desk.select(STANDING, encoded, previous=hint, box={"x0": 0, "y0": 0, "x1": 96, "y1": 128})
    )

    np.testing.assert_array_equal(hinted >= 128, disc((64, 48), 35, 15, FAR))


def test_the_preview_is_small_upright_and_on_white(desk: Desk) -> None:
    wide = np.zeros((30, 4000, 3), np.uint8)
    wide[:, 2000:] = (0, 200, 0)

    encoded = desk.encode(wide)

    place = Location.parse(encoded.preview.uri)
    assert place == Location("work", "selections/s1/preview.jpg")
    content = desk.store.read(place)
    assert (sha256_of(content), len(content)) == (encoded.preview.sha256, encoded.preview.bytes)
    with Image.open(io.BytesIO(content)) as image:
        assert (image.format, image.size) == ("JPEG", (2048, 15))
        assert image.convert("RGB").getpixel((1800, 7)) == pytest.approx((0, 200, 0), abs=4)


def test_a_photo_is_encoded_once(desk: Desk) -> None:
    first, second = desk.encode(WHITE), desk.encode(WHITE)

    assert [each.metrics["embedding_cached"] for each in (first, second)] == [0, 1]
    assert first.embedding == second.embedding


def test_a_click_loads_the_cut_decoder_alone(desk: Desk) -> None:
    encoded = desk.encode(WHITE)
    read: list[str] = []
    context = desk.context()
    store = context.bench.store
    for method in ("read", "download"):
        original = getattr(store, method)

        def watched(place: Location, *more: Any, _real: Any = original) -> Any:
            read.append(place.key)
            return _real(place, *more)

        setattr(store, method, watched)

    context.settings.scratch.joinpath("weights").rename(context.settings.scratch / "cold")
    desk.select(WHITE, encoded, context, points=[on(20, 15)])
    first = list(dict.fromkeys(key.rpartition("/")[2] for key in read))
    read.clear()
    desk.select(WHITE, encoded, context, points=[on(30, 15)])

    assert first[:2] == ["manifest.json", "pointer.decoder.cut.onnx"]
    assert [Path(name).suffix for name in first[2:]] == [".npz"]
    assert read == []


def test_an_embedding_that_is_gone_is_named(desk: Desk) -> None:
    encoded = desk.encode(WHITE)
    gone = encoded.model_copy(update={"embedding": f"{encoded.embedding}.gone"})

    with pytest.raises(SourceMissing, match="there is no embedding"):
        desk.select(WHITE, gone, points=[on(20, 15)])


def test_weights_staged_before_decoders_were_cut_are_staged_again(desk: Desk) -> None:
    desk.change_record(cut=None)

    with pytest.raises(WeightsNotStaged, match="was not cut"):
        desk.encode(WHITE)


def test_a_decoder_that_cannot_be_cut_is_named(desk: Desk) -> None:
    desk.change_record(cut=None, not_cut="it has a loop")

    with pytest.raises(WeightsMismatch, match="could not be cut: it has a loop"):
        desk.encode(WHITE)


@pytest.mark.parametrize("what", ["source", "proof", "bytes"])
def test_a_cut_decoder_that_is_not_proven_is_not_loaded(desk: Desk, what: str) -> None:
    record = json.loads(desk.store.read(Location("models", desk.row.weights_key)))
    cut = record["files"][1]["cut"]
    if what == "source":
        cut["source_sha256"] = "0" * 64
    elif what == "proof":
        cut["proof"]["max_difference"] = 0.1
    else:
        place = Location.parse(cut["file"]["artifact"]["uri"])
        desk.store.write(place, b"other bytes", media_type="")
    desk.change_record(cut=cut)

    with pytest.raises(WeightsMismatch):
        desk.encode(WHITE)

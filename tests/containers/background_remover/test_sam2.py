"""Segment Anything 2.1: points, boxes and clicks, by a small network with the true contract."""

from __future__ import annotations

import base64
import functools
import hashlib
from contextlib import nullcontext
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pytest

from containers.background_remover.canvas import place
from containers.background_remover.embeddings import EmbeddingCache
from containers.background_remover.handler import handler
from containers.background_remover.masks import Prediction
from containers.background_remover.network import Network, Tensor, open_network
from containers.background_remover.sam import Sam, predict_subjects
from containers.background_remover.sam_contracts import Sam2Spec
from containers.model_downloader.handler import handler as stage_weights
from pipeline.artifacts import LocalStore, Location
from pipeline.contracts.contract import SourcePhoto
from pipeline.contracts.selection import EncodePhoto, PhotoEncoded, SelectSubject, SubjectSelected
from pipeline.contracts.weights import StageWeights
from pipeline.errors import NoSubject
from pipeline.model_context import catalogue_of
from pipeline.photo.pixels import Pixels
from pipeline.photo.prompts import SubjectPrompt
from pipeline.weights.staged import StagedWeights
from pipeline.workbench import Settings, TaskContext, Workbench
from tests.conftest import ROOT
from tests.models import SHIPPED, Shelf
from tests.pictures import png, unpng
from tests.sam2_models import FAR, FARTHEST, MASK, MEAN, NEAR, SCORES, SIDE, STD

Mask = npt.NDArray[np.bool_]

SPEC: Final = Sam2Spec(mean=MEAN, std=STD)
SHAPE: Final = (300, 600)  # height and width: stretched by 2 more across than down
WHITE: Final = np.full((*SHAPE, 3), 255, np.uint8)
BOX: Final = {"x0": 60, "y0": 30, "x1": 450, "y1": 240}


class Bench:
    """One photo version, one model, and a store that remembers."""

    def __init__(self, shelf: Shelf, folder: Path) -> None:
        self.decoder = open_network(shelf.folder / "pointer2.decoder.onnx")
        self.encoder = functools.partial(open_network, shelf.folder / "pointer2.encoder.onnx")
        self.cache = EmbeddingCache(
            LocalStore(folder), "work", "e" * 64, SPEC.layout, SPEC.features, "p" * 64
        )

    def predict(self, picture: Pixels, *prompts: dict[str, Any]) -> Prediction:
        subjects = [SubjectPrompt.model_validate(prompt) for prompt in prompts]
        sam = Sam(self.encoder, self.decoder, SPEC)
        return predict_subjects(
            sam, picture, subjects, cache=self.cache, timed=lambda _: nullcontext()
        )


@pytest.fixture
def bench(shelf: Shelf, tmp_path: Path) -> Bench:
    return Bench(shelf, tmp_path)


def on(x: float, y: float, label: int = 1) -> dict[str, float]:
    return {"x": x, "y": y, "label": label}


def grid(shape: tuple[int, ...], photo: tuple[int, int] = SHAPE) -> tuple[Tensor, Tensor]:
    """x and y of the photo at the centre of each pixel of a mask of this shape."""
    rows, columns = (np.mgrid[: shape[0], : shape[1]] + 0.5).astype(np.float32)
    return columns * photo[1] / shape[1], rows * photo[0] / shape[0]


def disc(shape: tuple[int, ...], x: float, y: float, radius: float) -> Mask:
    """Pixels within so many pixels of a square mask: an ellipse on a photo that is not square."""
    across, down = grid(shape)
    off_x, off_y = (across - x) * MASK / SHAPE[1], (down - y) * MASK / SHAPE[0]
    inside: Mask = off_x**2 + off_y**2 < radius**2
    return inside


def box(shape: tuple[int, ...]) -> Mask:
    across, down = grid(shape)
    inside: Mask = (across > 60) & (across < 450) & (down > 30) & (down < 240)
    return inside


def assert_alike(mask: Pixels, expected: Mask) -> None:
    """Nearly the same pixels: an enlarged outline may lie a mask's pixel off."""
    actual = mask >= 128
    assert (actual & expected).sum() / (actual | expected).sum() > 0.94


def test_the_encoder_is_given_a_normalised_photo_stretched_to_its_input() -> None:
    picture = np.zeros((30, 90, 3), np.uint8)
    picture[:, 45:] = (255, 102, 51)

    tensor = SPEC.to_tensor(picture)

    assert tensor.shape == (1, 3, SIDE, SIDE)
    assert tensor.dtype == np.float32
    black, colour = tensor[0, :, :, :500], tensor[0, :, :, 524:]
    for channel, share in enumerate((1.0, 0.4, 0.2)):
        mean, std = MEAN[channel], STD[channel]
        np.testing.assert_allclose(black[channel], -mean / std, rtol=1e-5)
        np.testing.assert_allclose(colour[channel], (share - mean) / std, rtol=1e-5)


def test_the_catalogues_row_is_normalised_as_the_publisher_does() -> None:
    assert SHIPPED.row("sam2-1-tiny").spec(Sam2Spec) == SPEC


def test_one_point_is_answered_by_the_best_score(bench: Bench) -> None:
    found = bench.predict(WHITE, {"points": [on(500, 250)]})

    (candidates,) = found.subjects
    assert [each.score for each in candidates] == list(SCORES)
    assert [each.chosen for each in candidates] == [False, False, True]
    for candidate, radius in zip(candidates, (FAR, FAR, FARTHEST), strict=True):
        assert_alike(candidate.mask, disc(candidate.mask.shape, 500, 250, radius))
    assert_alike(found.mask, disc(found.mask.shape, 500, 250, FARTHEST))


@pytest.mark.parametrize("shape", [(300, 600), (600, 300), (90, 90), (2000, 1500), (20, 1400)])
def test_a_mask_has_the_proportions_of_its_photo(bench: Bench, shape: tuple[int, int]) -> None:
    middle = on(shape[1] / 2, shape[0] / 2)

    mask = bench.predict(np.full((*shape, 3), 255, np.uint8), {"points": [middle]}).mask

    fitted = place(shape, (SIDE, SIDE))
    assert mask.shape == (fitted.height, fitted.width)
    assert mask[mask.shape[0] // 2, mask.shape[1] // 2] == 255


def test_several_marks_are_answered_by_what_agrees_with_them(bench: Bench) -> None:
    """The better scores have the point off the subject."""
    found = bench.predict(WHITE, {"points": [on(300, 150), on(312, 150, 0)]})

    shape = found.mask.shape
    assert [each.chosen for each in found.subjects[0]] == [True, False, False]
    assert_alike(found.mask, disc(shape, 300, 150, FAR) & ~disc(shape, 312, 150, NEAR))


def test_a_box_is_answered_by_what_is_in_it(bench: Bench) -> None:
    found = bench.predict(WHITE, {"box": BOX})

    assert_alike(found.mask, box(found.mask.shape))


def test_several_subjects_are_cut_out_together_and_answered_apart(bench: Bench) -> None:
    found = bench.predict(WHITE, {"points": [on(530, 270)]}, {"box": BOX})

    shape = found.mask.shape
    assert len(found.subjects) == 2
    assert_alike(found.mask, disc(shape, 530, 270, FARTHEST) | box(shape))


def test_only_what_is_bright_to_the_networks_eyes_is_found(bench: Bench) -> None:
    """Both halves are bright or dark to a network that is given other numbers."""
    halves = np.full((*SHAPE, 3), 100, np.uint8)
    halves[:, 300:] = 155

    found = bench.predict(halves, {"box": {"x0": 0, "y0": 0, "x1": 600, "y1": 300}})

    right = grid(found.mask.shape)[0] > 300
    assert_alike(found.mask, right)


def test_a_second_prompt_costs_the_decoder_only(bench: Bench) -> None:
    first = bench.predict(WHITE, {"points": [on(200, 150)]})
    bench.encoder = functools.partial(open_network, Path("gone.onnx"))

    second = bench.predict(WHITE, {"points": [on(400, 200)]})

    assert (first.figures, second.figures) == ({"embedding_cached": 0}, {"embedding_cached": 1})
    assert_alike(second.mask, disc(second.mask.shape, 400, 200, FARTHEST))


def test_the_cache_has_all_three_features(bench: Bench) -> None:
    bench.predict(WHITE, {"points": [on(200, 150)]})

    features = bench.cache.recall()

    assert features is not None
    assert [(name, *each.shape) for name, each in features.items()] == [
        ("high_res_feats_0", 1, 32, 256, 256),
        ("high_res_feats_1", 1, 64, 128, 128),
        ("image_embed", 1, 256, 64, 64),
    ]


def test_an_embedding_that_lacks_a_feature_is_made_again(bench: Bench) -> None:
    bench.predict(WHITE, {"points": [on(200, 150)]})
    features = dict(bench.cache.recall() or {})
    del features["high_res_feats_1"]
    bench.cache.remember(features)

    found = bench.predict(WHITE, {"points": [on(200, 150)]})

    assert found.figures == {"embedding_cached": 0}


def test_a_prompt_at_which_nothing_stands_out_is_named(bench: Bench) -> None:
    with pytest.raises(NoSubject, match="subject 1: the model finds no subject"):
        bench.predict(np.zeros_like(WHITE), {"points": [on(200, 150)]})


class Desk:
    """The model, staged, and one photo prepared for clicks."""

    def __init__(self, shelf: Shelf, folder: Path) -> None:
        self.store = LocalStore(folder / "store")
        self.scratch = folder / "scratch"
        settings = Settings(
            catalogue_overlays=(shelf.catalogue,), weights_mirror=shelf.mirror, scratch=self.scratch
        )
        self.context = TaskContext(Workbench(root=ROOT, settings=settings, store=self.store))
        self.row = catalogue_of(self.context.bench).row("pointer2")
        job = StageWeights(schema_version=1, model="pointer2", models_bucket="models", force=False)
        stage_weights.__wrapped__(job, self.context)  # type: ignore[attr-defined]

    @property
    def staged(self) -> StagedWeights:
        place = Location("models", self.row.weights_key)
        return StagedWeights.parse(self.store.read(place), uri=place.uri)

    def encode(self) -> PhotoEncoded:
        content = png(WHITE)
        self.store.write(Location("in", "cat.png"), content, media_type="image/png")
        source = SourcePhoto(
            bucket="in", key="cat.png", version_id=None, etag="e",
            sha256=hashlib.sha256(content).hexdigest(), bytes=len(content), media_type="image/png",
            width=SHAPE[1], height=SHAPE[0],
        )  # fmt: skip
        job = EncodePhoto(
            schema_version=1, selection="s1", execution="e1", source=source, model="pointer2",
            models_bucket="models", weights_key=self.row.weights_key, work_bucket="work",
        )  # fmt: skip
        done: PhotoEncoded = handler.__wrapped__(job, self.context)  # type: ignore[attr-defined]
        return done

    def select(
        self, encoded: PhotoEncoded, previous: str | None = None, **prompt: Any
    ) -> SubjectSelected:
        job = SelectSubject(
            schema_version=1, model="pointer2", models_bucket="models",
            weights_key=self.row.weights_key, embedding=encoded.embedding,
            width=SHAPE[1], height=SHAPE[0],
            prompt=SubjectPrompt.model_validate(prompt), previous=previous,
        )  # fmt: skip
        done: SubjectSelected = handler.__wrapped__(job, self.context)  # type: ignore[attr-defined]
        return done


@pytest.fixture
def desk(shelf: Shelf, tmp_path: Path) -> Desk:
    return Desk(shelf, tmp_path)


def levels(selected: SubjectSelected) -> list[Pixels]:
    return [unpng(base64.b64decode(each.png)) for each in selected.candidates]


def test_the_staged_decoder_is_its_own_cut_network(desk: Desk) -> None:
    decoder = desk.staged.files[1]

    assert decoder.cut is not None
    assert decoder.cut.file.artifact == decoder.artifact
    assert decoder.cut.proof.holds("float32")
    assert not list((desk.store.root / "models").rglob("*.cut.onnx"))


def test_a_click_is_answered_on_the_whole_photo_stretched(desk: Desk) -> None:
    encoded = desk.encode()

    selected = desk.select(encoded, points=[on(400, 200)])

    assert (encoded.mask.width, encoded.mask.height) == (MASK, MASK)
    assert encoded.mask.photo.model_dump() == {"x": 0, "y": 0, "width": MASK, "height": MASK}
    assert [each.chosen for each in selected.candidates] == [False, False, True]
    assert [each.score for each in selected.candidates] == list(SCORES)
    for mask, radius in zip(levels(selected), (FAR, FAR, FARTHEST), strict=True):
        np.testing.assert_array_equal(mask >= 128, disc((MASK, MASK), 400, 200, radius))
        assert set(np.unique(mask)) == {0, 255}


def test_several_clicks_choose_what_agrees_with_them(desk: Desk) -> None:
    selected = desk.select(desk.encode(), points=[on(300, 150), on(312, 150, 0)])

    assert [each.chosen for each in selected.candidates] == [True, False, False]


def test_an_earlier_mask_is_a_hint(desk: Desk) -> None:
    encoded = desk.encode()
    hint = desk.select(encoded, points=[on(250, 135)]).candidates[2].png

    alone = levels(desk.select(encoded, box=BOX))[0] >= 128
    hinted = levels(desk.select(encoded, previous=hint, box=BOX))[0] >= 128

    np.testing.assert_array_equal(hinted, alone & disc((MASK, MASK), 250, 135, FARTHEST))
    assert hinted.sum() < alone.sum()


def test_the_decoder_is_given_the_marks_alone_on_the_stretched_photo(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The network appends the padding, and knows no size of the photo."""
    fed: list[dict[str, Tensor]] = []
    run = Network.run

    def watched(self: Network, inputs: Any, *, outputs: int = 1) -> list[Tensor]:
        fed.append(inputs)
        return run(self, inputs, outputs=outputs)

    monkeypatch.setattr(Network, "run", watched)
    bench.predict(WHITE, {"points": [on(300, 75), on(590, 290, 0)], "box": BOX})

    given = fed[-1]
    assert given.keys() == {
        "image_embed", "high_res_feats_0", "high_res_feats_1", "point_coords", "point_labels",
        "mask_input", "has_mask_input",
    }  # fmt: skip
    assert given["point_labels"].tolist() == [[1, 0, 2, 3]]
    across, down = SIDE / SHAPE[1], SIDE / SHAPE[0]
    expected = [(300, 75), (590, 290), (60, 30), (450, 240)]
    np.testing.assert_allclose(given["point_coords"][0], np.multiply(expected, (across, down)))
    assert given["has_mask_input"].tolist() == [0]

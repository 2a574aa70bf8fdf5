"""Points and boxes to masks, by a tiny Segment Anything whose answers are geometry."""

from __future__ import annotations

import functools
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from containers.background_remover.embeddings import EmbeddingCache
from containers.background_remover.masks import Prediction
from containers.background_remover.network import open_network
from containers.background_remover.sam import Sam, predict_subjects
from containers.background_remover.sam_contracts import Contract, Sam2Spec, SamSpec
from pipeline.artifacts import LocalStore
from pipeline.errors import NoSubject
from pipeline.photo.pixels import Pixels
from pipeline.photo.prompts import SubjectPrompt
from tests.models import Shelf
from tests.sam_models import CANVAS, FAR, FARTHEST, NEAR, SCORES

WHITE = np.full((*CANVAS, 3), 255, np.uint8)
STANDING = np.full((128, 96, 3), 255, np.uint8)  # half as large, and on its side, on the canvas


class Bench:
    """One photo version, one model, and a store that remembers."""

    def __init__(self, shelf: Shelf, folder: Path) -> None:
        self.stages: list[str] = []
        decoder = open_network(shelf.folder / "pointer.decoder.onnx")
        encoder = functools.partial(open_network, shelf.folder / "pointer.encoder.onnx")
        spec = SamSpec(canvas=CANVAS)
        self.sam = Sam(encoder, decoder, spec)
        self.cache = EmbeddingCache(
            LocalStore(folder), "work", "e" * 64, spec.layout, spec.features, "p" * 64
        )

    def predict(self, picture: Pixels, *prompts: dict[str, Any]) -> Prediction:
        subjects = [SubjectPrompt.model_validate(prompt) for prompt in prompts]
        return predict_subjects(self.sam, picture, subjects, cache=self.cache, timed=self._timed)

    @contextmanager
    def _timed(self, stage: str) -> Iterator[None]:
        self.stages.append(stage)
        yield


@pytest.fixture
def bench(shelf: Shelf, tmp_path: Path) -> Bench:
    return Bench(shelf, tmp_path)


def on(x: float, y: float, label: int = 1) -> dict[str, float]:
    return {"x": x, "y": y, "label": label}


def disc(shape: tuple[int, int], x: float, y: float, radius: float) -> Pixels:
    rows, columns = np.mgrid[: shape[0], : shape[1]] + 0.5
    inside: Pixels = ((columns - x) ** 2 + (rows - y) ** 2 < radius**2).astype(np.uint8)
    return inside * np.uint8(255)


def block(shape: tuple[int, int], x0: int, y0: int, x1: int, y1: int) -> Pixels:
    mask = np.zeros(shape, np.uint8)
    mask[y0:y1, x0:x1] = 255
    return mask


def test_one_point_is_answered_by_the_best_of_part_thing_and_group(bench: Bench) -> None:
    found = bench.predict(WHITE, {"points": [on(20, 15)]})

    np.testing.assert_array_equal(found.mask, disc(CANVAS, 20, 15, FAR))


def test_every_candidate_comes_with_its_score(bench: Bench) -> None:
    found = bench.predict(WHITE, {"points": [on(30, 25)]})

    (candidates,) = found.subjects
    assert [candidate.score for candidate in candidates] == list(SCORES)
    assert [candidate.chosen for candidate in candidates] == [False, False, True, False]
    for candidate, radius in zip(candidates, (FAR, NEAR, FAR, FARTHEST), strict=True):
        np.testing.assert_array_equal(candidate.mask, disc(CANVAS, 30, 25, radius))


def test_a_box_is_answered_by_what_is_in_it(bench: Bench) -> None:
    found = bench.predict(WHITE, {"box": {"x0": 10, "y0": 5, "x1": 40, "y1": 30}})

    np.testing.assert_array_equal(found.mask, block(CANVAS, 10, 5, 40, 30))
    assert [candidate.chosen for candidate in found.subjects[0]] == [True, False, False, False]


def test_a_point_off_the_subject_is_left_out(bench: Bench) -> None:
    box = {"x0": 10, "y0": 5, "x1": 40, "y1": 30}

    found = bench.predict(WHITE, {"points": [on(25, 15, 0)], "box": box})

    expected = block(CANVAS, 10, 5, 40, 30) & ~disc(CANVAS, 25, 15, NEAR)
    np.testing.assert_array_equal(found.mask, expected)


def test_several_points_show_one_subject(bench: Bench) -> None:
    found = bench.predict(WHITE, {"points": [on(20, 15), on(40, 25)]})

    expected = disc(CANVAS, 20, 15, FAR) | disc(CANVAS, 40, 25, FAR)
    np.testing.assert_array_equal(found.mask, expected)
    assert len(found.subjects) == 1


def test_several_subjects_are_cut_out_together_and_answered_apart(bench: Bench) -> None:
    box = {"x0": 40, "y0": 30, "x1": 60, "y1": 40}

    found = bench.predict(WHITE, {"points": [on(12, 12)]}, {"box": box})

    first, second = (
        next(candidate.mask for candidate in subject if candidate.chosen)
        for subject in found.subjects
    )
    np.testing.assert_array_equal(first, disc(CANVAS, 12, 12, FAR))
    np.testing.assert_array_equal(second, block(CANVAS, 40, 30, 60, 40))
    np.testing.assert_array_equal(found.mask, first | second)


@pytest.mark.parametrize("shape", [(24, 32), (48, 64), (480, 640), (96, 64), (60, 50)])
def test_a_mask_has_the_proportions_of_its_photo(bench: Bench, shape: tuple[int, int]) -> None:
    middle = on(shape[1] / 2, shape[0] / 2)

    mask = bench.predict(np.full((*shape, 3), 255, np.uint8), {"points": [middle]}).mask

    assert mask.shape[0] / mask.shape[1] == pytest.approx(shape[0] / shape[1], rel=0.02)
    assert mask[mask.shape[0] // 2, mask.shape[1] // 2] == 255


def test_a_point_in_a_standing_photo_is_where_it_was_shown(bench: Bench) -> None:
    found = bench.predict(STANDING, {"points": [on(70, 30)]})

    np.testing.assert_array_equal(found.mask, disc((64, 48), 35, 15, FAR))


def test_a_box_in_a_standing_photo_is_where_it_was_shown(bench: Bench) -> None:
    found = bench.predict(STANDING, {"box": {"x0": 20, "y0": 10, "x1": 60, "y1": 100}})

    np.testing.assert_array_equal(found.mask, block((64, 48), 10, 5, 30, 50))


def test_the_model_sees_the_photo_the_right_way_round(bench: Bench) -> None:
    left_half = STANDING.copy()
    left_half[:, 48:] = 0

    found = bench.predict(left_half, {"box": {"x0": 0, "y0": 0, "x1": 96, "y1": 128}})

    np.testing.assert_array_equal(found.mask, block((64, 48), 0, 0, 24, 64))


def test_a_second_prompt_costs_the_decoder_only(bench: Bench) -> None:
    first = bench.predict(WHITE, {"points": [on(20, 15)]})
    gone = functools.partial(open_network, Path("gone.onnx"))
    bench.sam = Sam(gone, bench.sam.decoder, bench.sam.contract)
    bench.stages.clear()

    second = bench.predict(WHITE, {"points": [on(40, 30)]})

    assert (first.figures, second.figures) == ({"embedding_cached": 0}, {"embedding_cached": 1})
    assert bench.stages == ["recall", "infer"]
    np.testing.assert_array_equal(second.mask, disc(CANVAS, 40, 30, FAR))


def test_a_remembered_photo_is_answered_to_the_last_bit(bench: Bench) -> None:
    noise = np.random.default_rng(3).integers(0, 256, (300, 400, 3), dtype=np.uint8)
    prompt = {"box": {"x0": 0, "y0": 0, "x1": 400, "y1": 300}}

    first, second = (bench.predict(noise, prompt).mask for _ in range(2))

    np.testing.assert_array_equal(first, second)


@pytest.mark.parametrize("damage", ["cut", "flipped", "empty", "text"])
def test_a_damaged_embedding_is_made_again(bench: Bench, damage: str) -> None:
    bench.predict(WHITE, {"points": [on(20, 15)]})
    whole = bytearray(bench.cache.store.read(bench.cache.place))
    flipped = whole.copy()
    flipped[len(whole) // 2] ^= 1
    content = {"cut": whole[:-90], "flipped": flipped, "empty": b"", "text": b"mine"}[damage]
    bench.cache.store.write(bench.cache.place, bytes(content), media_type="")

    found = bench.predict(WHITE, {"points": [on(20, 15)]})

    assert found.figures == {"embedding_cached": 0}
    np.testing.assert_array_equal(found.mask, disc(CANVAS, 20, 15, FAR))
    assert bench.cache.store.read(bench.cache.place) == whole


def test_another_photo_encoder_or_preparation_is_another_embedding(tmp_path: Path) -> None:
    store = LocalStore(tmp_path)
    contracts: list[Contract] = [
        SamSpec(canvas=(48, 64)),
        SamSpec(canvas=(64, 48)),
        Sam2Spec(mean=(0.5, 0.5, 0.5), std=(1, 1, 1)),
        Sam2Spec(mean=(0.5, 0.5, 0.25), std=(1, 1, 1)),
        Sam2Spec(mean=(0.5, 0.5, 0.5), std=(1, 1, 2)),
    ]
    places = {
        EmbeddingCache(store, "work", encoder, each.layout, each.features, photo).place
        for encoder in ("e1", "e2")
        for each in contracts
        for photo in ("p1", "p2")
    }

    assert len(places) == 20


def test_a_prompt_at_which_nothing_stands_out_is_named(bench: Bench) -> None:
    dark = WHITE.copy()
    dark[:, 32:] = 0

    with pytest.raises(NoSubject, match="subject 2: the model finds no subject"):
        bench.predict(dark, {"points": [on(10, 10)]}, {"points": [on(55, 30)]})

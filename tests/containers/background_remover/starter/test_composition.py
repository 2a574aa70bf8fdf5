"""What the starter learns from: the mask says where the subject is, whatever happened to it."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest

from containers.background_remover.starter import composition
from containers.background_remover.starter.composition import (
    composed,
    draw_example,
    photographed,
)
from containers.background_remover.starter.cuts import Cut, cut_out, outline
from containers.background_remover.starter.damage import damaged
from containers.background_remover.starter.grounds import drawn_ground, photo_ground
from containers.background_remover.starter.library import Library
from tests.containers.background_remover.starter.shelves import discs_on_black

SIZE = 64


def black(size: int) -> npt.NDArray[np.float32]:
    return np.zeros((size, size, 3), np.float32)


@pytest.fixture(scope="module")
def library() -> Library:
    return discs_on_black()


def test_the_same_dice_draw_the_same_example(library: Library) -> None:
    first, again = (draw_example(np.random.default_rng(3), library, SIZE) for _ in range(2))

    assert np.array_equal(first.photo, again.photo)
    assert np.array_equal(first.mask, again.mask)


@pytest.mark.parametrize("seed", range(20))
def test_an_example_is_a_photo_and_a_mask_of_the_size_asked_for(
    library: Library, seed: int
) -> None:
    example = draw_example(np.random.default_rng(seed), library, SIZE)

    assert example.photo.shape == (SIZE, SIZE, 3)
    assert example.photo.dtype == example.mask.dtype == np.uint8
    assert example.mask.shape == (SIZE, SIZE)


@pytest.mark.parametrize("seed", range(20))
def test_the_crop_of_a_pair_crops_its_mask_alike(library: Library, seed: int) -> None:
    dice = np.random.default_rng(seed)

    picture, mask = photographed(dice, library.of_kind("pairs"), SIZE)

    assert np.abs(picture.mean(axis=2) - mask).max() < 0.02
    assert mask.max() > 0.9


def test_composites_have_subjects_and_some_scenes_have_none(library: Library) -> None:
    dice = np.random.default_rng(0)

    covered = [draw_example(dice, library, SIZE).mask.mean() / 255 for _ in range(300)]

    empty = np.mean([share == 0 for share in covered])
    assert 0.08 < empty < 0.2
    assert np.median(covered) > 0.08


def test_light_in_a_composite_on_black_lies_under_the_mask(
    library: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(composition, "ground", lambda _dice, _shelves, size: black(size))
    dice = np.random.default_rng(1)

    for _ in range(60):
        picture, mask = composed(dice, library, SIZE)

        assert picture[mask < 0.01].max(initial=0) < 0.02


def test_an_example_is_mirrored_with_its_mask(
    library: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(composition, "ground", lambda _dice, _shelves, size: black(size))
    monkeypatch.setattr(composition, "damaged", lambda _dice, picture: picture)
    dice = np.random.default_rng(4)

    for _ in range(60):
        example = draw_example(dice, library, SIZE)

        assert example.photo[example.mask < 3].max(initial=0) < 0.02


def test_a_subject_keeps_its_outline_when_it_is_scaled_and_turned(library: Library) -> None:
    subject = library.of_kind("sprites")[0].subjects[0]

    cut = cut_out(np.random.default_rng(2), subject, 40.0, 1.0)

    assert isinstance(cut, Cut)
    assert cut.colours.shape[:2] == cut.alpha.shape
    assert cut.alpha.mean() == pytest.approx(np.pi / 4, abs=0.3)


@pytest.mark.parametrize("seed", range(12))
def test_a_drawn_outline_is_soft_and_covers_something(seed: int) -> None:
    alpha = outline(np.random.default_rng(seed), 48)

    assert alpha.shape == (48, 48)
    assert 0.01 < alpha.mean() < 0.95
    assert ((alpha > 0.05) & (alpha < 0.95)).any()


@pytest.mark.parametrize("seed", range(12))
def test_grounds_are_pictures_between_0_and_1(library: Library, seed: int) -> None:
    dice = np.random.default_rng(seed)

    for ground in (drawn_ground(dice, 48), photo_ground(dice, library.empty_scenes, 48)):
        assert ground.shape == (48, 48, 3)
        assert ground.min() >= 0
        assert ground.max() <= 1


@pytest.mark.parametrize("seed", range(12))
def test_damage_moves_nothing(seed: int) -> None:
    picture = np.zeros((SIZE, SIZE, 3), np.float32)
    picture[16:48, 16:48] = 1

    photo = np.asarray(damaged(np.random.default_rng(seed), picture))

    middle, corner = photo[24:40, 24:40].mean(), photo[:8, :8].mean()
    assert middle > corner + 40
    across = photo.mean(axis=(1, 2))
    assert abs(np.average(np.arange(SIZE), weights=across - across.min()) - 31.5) < 1

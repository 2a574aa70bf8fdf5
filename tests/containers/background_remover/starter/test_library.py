"""The sets of `data.toml`, read into memory, with a part that is never trained on."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from containers.background_remover.starter.library import load_library
from tests.containers.background_remover.starter.shelves import SIDE, write_sets

NAMES = [f"picture{number}" for number in range(60)]


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("data")
    write_sets(root, NAMES)
    return root


def test_every_picture_is_either_learnt_from_or_held_out(data: Path) -> None:
    kept = {
        shelf.name: len(shelf.subjects) + len(shelf.photos) for shelf in load_library(data).shelves
    }
    held = load_library(data, held_out=True).shelves

    assert {shelf.name for shelf in held} == set(kept)
    for shelf in held:
        count = len(shelf.subjects) + len(shelf.photos)
        assert 0 < count < 8
        assert kept[shelf.name] + count == len(NAMES)


def test_only_scenes_said_to_be_empty_teach_what_nothing_looks_like(data: Path) -> None:
    names = {shelf.name for shelf in load_library(data).empty_scenes}

    assert names == {"backgrounds/hdri_crops", "backgrounds/surfaces"}


def test_the_colours_of_a_sprite_reach_beyond_its_alpha(data: Path) -> None:
    (shelf,) = [row for row in load_library(data).shelves if row.name == "fluent_emoji"]
    subject = shelf.subjects[0]
    photo, mask = np.asarray(subject.photo), np.asarray(subject.mask)

    left = int(np.argmax(mask[SIDE // 2] > 127))
    assert mask[SIDE // 2, left - 2] == 0
    assert photo[SIDE // 2, left - 2, 0] > 200


def test_a_set_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"clothing.*fluent_emoji"):
        load_library(tmp_path)

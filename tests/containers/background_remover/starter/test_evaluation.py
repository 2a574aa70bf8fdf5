"""The figures of the model card mean what they say."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from containers.background_remover.starter.contenders import Contender
from containers.background_remover.starter.empties import empty_scenes
from containers.background_remover.starter.evaluation import (
    cases,
    judge,
    main,
    overlap,
    seen_through,
)
from tests.pictures import unpng


def half(first: int) -> np.ndarray:
    """A 4×4 mask, 255 in two columns from `first` on."""
    mask = np.zeros((4, 4), np.uint8)
    mask[:, first : first + 2] = 255
    return mask


@pytest.mark.parametrize(
    ("ours", "theirs", "expected"),
    [(half(0), half(0), 1.0), (half(0), half(1), 1 / 3), (half(0), half(2), 0.0)],
)
def test_overlap_is_the_shared_part_of_the_union(
    ours: np.ndarray, theirs: np.ndarray, expected: float
) -> None:
    assert overlap(ours, theirs) == pytest.approx(expected)


def test_two_empty_masks_agree() -> None:
    assert overlap(np.zeros((4, 4), np.uint8), np.zeros((4, 4), np.uint8)) == 1.0


def test_a_contender_is_judged_at_the_size_of_the_photo(tmp_path: Path) -> None:
    photo = np.zeros((40, 60, 3), np.uint8)
    photo[:, 30:] = 255
    for folder, picture in (("photos", photo), ("masks", photo[..., 0])):
        (tmp_path / folder).mkdir()
        Image.fromarray(picture).save(tmp_path / folder / "half.png")
    light = Contender("light", lambda seen: seen[::4, ::4, 0])

    (case,) = cases(tmp_path)
    judged = judge(light, case)

    assert judged.mask.shape == (40, 60)
    assert judged.overlap > 0.9


def test_scenes_without_a_subject_are_counted_by_kind() -> None:
    scenes = list(empty_scenes(2))
    nothing = Contender("nothing", lambda seen: np.zeros(seen.shape[:2], np.uint8))
    everything = Contender("everything", lambda seen: np.full(seen.shape[:2], 255, np.uint8))

    assert set(seen_through(nothing, scenes).values()) == {1.0}
    assert set(seen_through(everything, scenes).values()) == {0.0}
    assert len({kind for kind, _ in scenes}) == 6


def test_without_the_data_it_says_what_it_skips(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    away = str(tmp_path / "away")
    monkeypatch.setattr(
        "sys.argv", ["evaluation", "--photos", away, "--models", away, "--out", str(tmp_path)]
    )

    main()

    printed = capsys.readouterr().out
    assert f"Skipped what needs {away}" in printed
    assert "starter" in printed


def test_sheets_show_every_case(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for folder in ("photos", "masks"):
        (tmp_path / "people" / folder).mkdir(parents=True)
        Image.new("L", (30, 20), 255).save(tmp_path / "people" / folder / "one.png")
    monkeypatch.setattr(
        "sys.argv",
        ["evaluation", "--photos", str(tmp_path), "--models", "none", "--out", str(tmp_path)],
    )

    main()

    assert "people (1)" in capsys.readouterr().out
    for sheet in ("photos.png", "overlap.png"):
        assert unpng((tmp_path / sheet).read_bytes()).shape[1] > 700

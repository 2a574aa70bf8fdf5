"""Two networks are compared on drawn pictures, and how far they may differ is said once."""

from __future__ import annotations

from pathlib import Path
from typing import get_args

import numpy as np
import onnx
import pytest
from onnx import parser

from containers.model_downloader.optimisation.order import Activation
from containers.model_downloader.optimisation.pictures import inputs, pictures
from containers.model_downloader.optimisation.proof import answers, compared
from pipeline.weights.staged import Precision

Shape = list[int | str | None]


def test_the_pictures_are_the_same_in_every_run_and_none_is_flat() -> None:
    first, again = pictures(40, 60), pictures(40, 60)

    assert len(first) >= 3
    for picture, same in zip(first, again, strict=True):
        assert picture.shape == (40, 60, 3)
        assert picture.dtype == np.float32
        assert 0 <= picture.min() < picture.max() <= 1
        assert picture.std(axis=(0, 1)).min() > 0.1
        np.testing.assert_array_equal(picture, same)


@pytest.mark.parametrize("shape", [(1, 3, 32, 48), (48, 64, 3)])
def test_pictures_come_in_the_shape_that_is_declared(shape: tuple[int, ...]) -> None:
    fitted = inputs(shape)

    assert fitted is not None
    assert {picture.shape for picture in fitted} == {shape}


def test_a_network_of_bytes_gets_bytes_and_one_of_normal_numbers_normal_ones() -> None:
    whole, normal = inputs([32, 32, 3]), inputs([1, 3, 32, 32])

    assert whole is not None
    assert normal is not None
    assert 200 < max(picture.max() for picture in whole) <= 255
    assert min(picture.min() for picture in normal) < -1


@pytest.mark.parametrize("shape", [[1, 256, 64, 64], [1, 2, 2], [1], [], [1, 1, 64, 64]])
def test_what_is_no_picture_gets_none(shape: list[int]) -> None:
    assert inputs(shape) is None


@pytest.mark.parametrize(
    ("precision", "off_by", "everywhere", "holds"),
    [
        ("float32", 9e-4, False, True),
        ("float32", 1.1e-3, False, False),
        ("float32", 0.9e-4, True, True),
        ("float32", 1.1e-4, True, False),
        ("int8-matmul", 0.5, False, True),
        ("int8-matmul", 2.9e-3, True, True),
        ("int8-matmul", 3.1e-3, True, False),
    ],
)
def test_an_answer_may_be_off_by_so_much_in_one_place_and_so_much_everywhere(
    precision: Precision, off_by: float, *, everywhere: bool, holds: bool
) -> None:
    plain = [np.zeros((1, 1, 50, 50), np.float32) for _ in range(3)]
    lean = [each.copy() for each in plain]
    lean[1][... if everywhere else (0, 0, 7, 7)] = off_by

    proof = compared(plain, lean, precision=precision, activation="none")

    assert proof.holds(precision) is holds
    assert proof.pictures == 3
    assert proof.max_difference == pytest.approx(off_by)
    assert proof.mask_error == pytest.approx(off_by if everywhere else off_by / 2500)


def test_logits_are_compared_as_the_masks_they_become() -> None:
    plain, lean = np.full((1, 1, 4, 4), 20.0), np.full((1, 1, 4, 4), 21.0)

    proof = compared([plain], [lean], precision="int8-matmul", activation="sigmoid")

    assert proof.max_difference == 1
    assert proof.mask_error < 1e-8
    assert proof.holds("int8-matmul")


@pytest.mark.parametrize("picture", [0, 1, 2])
@pytest.mark.parametrize("wrong", [np.nan, np.inf])
@pytest.mark.parametrize("activation", ["none", "sigmoid"])
@pytest.mark.parametrize("precision", get_args(Precision))
def test_an_answer_that_is_no_number_proves_nothing(
    picture: int, wrong: float, activation: Activation, precision: Precision
) -> None:
    plain = [np.full((1, 1, 50, 50), 20, np.float32) for _ in range(3)]
    lean = [each.copy() for each in plain]
    lean[picture][0, 0, 7, 7] = wrong

    proof = compared(plain, lean, precision=precision, activation=activation)

    assert not proof.holds(precision)


def two_outputs(folder: Path, second: str) -> Path:
    text = f"""
    <ir_version: 8, opset_import: ["" : 17]>
    network (float[1, 3, 8, 8] photo) => (float[1, 3, 8, 8] same, float[1, 1, 8, 8] other) {{
      same = Identity (photo)
      other = {second} <axes = [1], keepdims = 1> (photo)
    }}
    """
    onnx.save(parser.parse_model(text), folder / f"{second}.onnx")
    return folder / f"{second}.onnx"


@pytest.mark.parametrize(("outputs", "same"), [(1, True), (2, False)])
def test_all_outputs_that_are_used_are_compared(
    tmp_path: Path, outputs: int, *, same: bool
) -> None:
    photos = inputs([1, 3, 8, 8])
    assert photos is not None
    plain, lean = (
        answers(two_outputs(tmp_path, each), photos, outputs=outputs)
        for each in ("ReduceMean", "ReduceMax")
    )

    assert compared(plain, lean, precision="float32", activation="none").holds("float32") is same

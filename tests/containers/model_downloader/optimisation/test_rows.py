"""A deformable convolution of a large map is computed in strips of its rows."""

from __future__ import annotations

import onnx
import pytest

from containers.model_downloader.optimisation import rows
from containers.model_downloader.optimisation.channels import split_channels
from containers.model_downloader.optimisation.rows import split_rows
from tests.containers.model_downloader.optimisation.networks import (
    assert_same_answers,
    operators,
    passed,
)
from tests.containers.model_downloader.optimisation.test_channels import deformable


@pytest.fixture(autouse=True)
def small_maps_are_large(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rows, "_LARGE_PIXELS", 80)
    monkeypatch.setattr(rows, "_SAMPLE_BYTES", 9 * 9 * 8 * 9 * 4 // 3)


@pytest.mark.parametrize("kernel", [1, 3, 5])
@pytest.mark.parametrize("masked", [True, False], ids=["masked", "not masked"])
@pytest.mark.parametrize("bias", [True, False], ids=["bias", "no bias"])
@pytest.mark.parametrize("groups", [1, 2])
def test_strips_make_up_the_whole(kernel: int, groups: int, *, masked: bool, bias: bool) -> None:
    model = deformable(kernel=kernel, groups=groups, masked=masked, bias=bias)

    lean, found = passed(model, split_rows)

    assert found == [1]
    assert operators(lean).count("DeformConv") == {1: 1, 3: 3, 5: 9}[kernel]
    assert_same_answers(model, lean)


def test_a_stride_of_rows_is_kept() -> None:
    model = deformable(channels=8)
    for name, value in (("strides", [2, 1]), ("pads", [5, 1, 5, 1])):
        attributes = model.graph.node[0].attribute
        for place, each in reversed(list(enumerate(attributes))):
            if each.name == name:
                del attributes[place]
        attributes.append(onnx.helper.make_attribute(name, value))

    lean, found = passed(model, split_rows)

    assert found == [1]
    assert operators(lean).count("DeformConv") == 3
    assert_same_answers(model, lean)


def test_a_large_map_is_not_split_by_channels_and_a_small_one_not_by_rows(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert passed(deformable(), split_channels)[1] == [0]

    monkeypatch.setattr(rows, "_LARGE_PIXELS", 81)

    assert passed(deformable(), split_rows)[1] == [0]
    assert passed(deformable(), split_channels)[1] == [1]

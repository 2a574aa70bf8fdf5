"""A deformable convolution with many taps takes its channels in quarters."""

from __future__ import annotations

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from containers.model_downloader.optimisation.channels import split_channels
from tests.containers.model_downloader.optimisation.networks import (
    assert_same_answers,
    operators,
    passed,
)


def deformable(
    *, channels: int = 8, kernel: int = 3, groups: int = 1, masked: bool = True, bias: bool = True
) -> onnx.ModelProto:
    count = groups * kernel**2
    shapes = {"photo": (1, channels, 9, 9), "offset": (1, 2 * count, 9, 9)}
    names = ["photo", "weight", "offset", "bias" if bias else ""]
    if masked:
        shapes["mask"] = (1, count, 9, 9)
        names.append("mask")
    pad = kernel // 2
    node = helper.make_node(
        "DeformConv", names, ["bent"], kernel_shape=[kernel] * 2, pads=[pad] * 4,
        offset_group=groups,
    )  # fmt: skip
    dice = np.random.default_rng(3)
    values = {"weight": dice.standard_normal((6, channels, kernel, kernel)), "bias": np.arange(6)}
    graph = helper.make_graph(
        [node], "deformable",
        [helper.make_tensor_value_info(n, TensorProto.FLOAT, s) for n, s in shapes.items()],
        [helper.make_tensor_value_info("bent", TensorProto.FLOAT, (1, 6, 9, 9))],
        [numpy_helper.from_array(v.astype(np.float32), n) for n, v in values.items()],
    )  # fmt: skip
    model: onnx.ModelProto = helper.make_model(
        graph, opset_imports=[helper.make_opsetid("", 19)], ir_version=9
    )
    return model


@pytest.mark.parametrize("kernel", [3, 5])
@pytest.mark.parametrize("masked", [True, False], ids=["masked", "not masked"])
@pytest.mark.parametrize("bias", [True, False], ids=["bias", "no bias"])
def test_quarters_add_up_to_the_whole(kernel: int, *, masked: bool, bias: bool) -> None:
    model = deformable(kernel=kernel, masked=masked, bias=bias)

    lean, found = passed(model, split_channels)

    assert found == [1]
    assert operators(lean).count("DeformConv") == 4
    assert_same_answers(model, lean)


@pytest.mark.parametrize(
    "model",
    [deformable(kernel=1), deformable(channels=6), deformable(groups=2)],
    ids=["one tap", "six channels", "moved in groups"],
)
def test_one_that_cannot_gain_or_does_not_divide_is_left_alone(model: onnx.ModelProto) -> None:
    assert passed(model, split_channels)[1] == [0]

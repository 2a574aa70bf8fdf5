"""Weights stored as int8: smaller, loaded as fp32, and the same answer within the rounding."""

from __future__ import annotations

import numpy as np
import onnx
import onnxruntime as ort
import pytest
from onnx import TensorProto, helper, numpy_helper

from containers.background_remover.starter.storage import quantised, stored_small


def convolution(channels: int) -> onnx.ModelProto:
    """A 3×3 convolution of random weights, `channels` to `channels`."""
    dice = np.random.default_rng(channels)
    weights = dice.normal(0, 0.1, (channels, channels, 3, 3)).astype(np.float32)
    shape = [1, channels, 8, 8]
    graph = helper.make_graph(
        [helper.make_node("Conv", ["x", "w"], ["y"], pads=[1, 1, 1, 1])],
        "convolution",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, shape)],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, shape)],
        [numpy_helper.from_array(weights, "w")],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)


def answer(model: onnx.ModelProto, x: np.ndarray) -> np.ndarray:
    session = ort.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    (y,) = session.run(None, {"x": x})
    return np.asarray(y)


def test_the_answer_is_the_same_within_the_rounding() -> None:
    model = convolution(32)
    x = np.random.default_rng(0).normal(0, 1, (1, 32, 8, 8)).astype(np.float32)

    plain, small = answer(model, x), answer(stored_small(model), x)

    assert np.abs(plain - small).max() < 0.01 * np.abs(plain).max()
    assert not np.array_equal(plain, small)


def test_the_file_is_about_a_quarter() -> None:
    model = convolution(64)

    ratio = len(stored_small(model).SerializeToString()) / len(model.SerializeToString())

    assert ratio == pytest.approx(0.25, abs=0.02)


def test_small_weights_stay_as_they_are() -> None:
    model = convolution(8)

    assert stored_small(model) == model


def test_each_output_channel_has_its_own_scale() -> None:
    weights = np.ones((2, 1, 1, 2), np.float32) * np.array([1, 1000], np.float32).reshape(
        2, 1, 1, 1
    )

    steps, scales = quantised(weights)

    assert steps.tolist() == [[[[127, 127]]], [[[127, 127]]]]
    assert scales.ravel().tolist() == pytest.approx([1 / 127, 1000 / 127])

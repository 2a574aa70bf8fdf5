"""Only an ONNX network with the input its row describes is let through."""

from __future__ import annotations

from pathlib import Path

import onnx
import pytest
from onnx import TensorProto, helper

from containers.model_downloader.smoke import require_declared_network
from pipeline.errors import WeightsMismatch
from pipeline.manifest import SaliencySpec
from tests.models import brightness

Shape = list[int | str | None]

SPEC = SaliencySpec(input_size=64, scale=255.0, mean=(0, 0, 0), std=(1, 1, 1), activation="none")


def network(shape: Shape) -> bytes:
    """A network with an input of this shape, which it hands on."""
    graph = helper.make_graph(
        [helper.make_node("Identity", ["photo"], ["saliency"])],
        "same",
        [helper.make_tensor_value_info("photo", TensorProto.FLOAT, shape)],
        [helper.make_tensor_value_info("saliency", TensorProto.FLOAT, shape)],
    )
    opset = [helper.make_opsetid("", 17)]
    model: onnx.ModelProto = helper.make_model(graph, opset_imports=opset, ir_version=8)
    content: bytes = model.SerializeToString()
    return content


def saved(folder: Path, content: bytes) -> Path:
    path = folder / "w.onnx"
    path.write_bytes(content)
    return path


@pytest.mark.parametrize(
    "shape",
    [
        [1, 3, 64, 64],
        ["batch", 3, 64, 64],
        ["batch", 3, "height", "width"],
        ["n", "c", "h", "w"],
        [None, 3, None, None],
    ],
)
def test_a_network_that_takes_the_rows_input_is_let_through(tmp_path: Path, shape: Shape) -> None:
    require_declared_network(saved(tmp_path, network(shape)), SPEC)


@pytest.mark.parametrize(
    "shape",
    [
        [1, 3, 32, 32],
        [1, 3, 64, 65],
        ["batch", 3, "height", 320],
        [1, 4, 64, 64],
        [1, 64, 64, 3],
        [2, 3, 64, 64],
        [3, 64, 64],
        [1, 3, 64],
        [1, 3, 64, 64, 64],
    ],
)
def test_a_network_with_another_input_is_not(tmp_path: Path, shape: Shape) -> None:
    path = saved(tmp_path, network(shape))

    with pytest.raises(WeightsMismatch, match=r"w\.onnx takes .*, its row says \[1, 3, 64, 64\]"):
        require_declared_network(path, SPEC)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"<html>Too many requests</html>",
        b"version https://git-lfs.github.com/spec/v1\n",
        brightness().SerializeToString()[:-20],
    ],
    ids=["empty", "error-page", "lfs-pointer", "cut-short"],
)
def test_a_file_that_is_not_onnx_is_named(tmp_path: Path, content: bytes) -> None:
    path = saved(tmp_path, content)

    with pytest.raises(WeightsMismatch, match=r"^w\.onnx is not a loadable ONNX model"):
        require_declared_network(path, SPEC)


def test_the_row_of_the_tests_own_model_is_true(tmp_path: Path) -> None:
    require_declared_network(saved(tmp_path, brightness().SerializeToString()), SPEC)

"""Only an ONNX network with the input and the map its row describes is let through."""

from __future__ import annotations

from pathlib import Path

import onnx
import pytest
from onnx import TensorProto, helper

from containers.model_downloader.smoke import require_declared_network
from pipeline.errors import OutOfMemory, WeightsMismatch
from pipeline.specs import SaliencySpec
from tests.models import brightness

Shape = list[int | str | None]

SPEC = SaliencySpec(input_size=64, scale=255.0, mean=(0, 0, 0), std=(1, 1, 1), activation="none")


def network(taken: Shape, given: Shape | None = None) -> bytes:
    """A network that hands its input on, or declares an output of any shape it likes."""
    inputs = [helper.make_tensor_value_info("photo", TensorProto.FLOAT, taken)]
    node = helper.make_node("Identity", ["photo"], ["saliency"])
    if given is not None:
        # Of a shape that is an input itself, onnxruntime knows nothing and believes the output.
        inputs.append(helper.make_tensor_value_info("wish", TensorProto.INT64, ["axes"]))
        node = helper.make_node("Reshape", ["photo", "wish"], ["saliency"])
    output = helper.make_tensor_value_info("saliency", TensorProto.FLOAT, given or taken)
    graph = helper.make_graph([node], "same", inputs, [output])
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
    "shape",
    [
        [1, 1, 64, 64],
        [1, 64, 64],
        [64, 64],
        [1, 7, 64, 64],
        ["batch", 1, "height", "width"],
        [None, None, 64, None],
    ],
)
def test_a_network_that_gives_the_rows_map_is_let_through(tmp_path: Path, shape: Shape) -> None:
    require_declared_network(saved(tmp_path, network([1, 3, 64, 64], shape)), SPEC)


@pytest.mark.parametrize("shape", [[1, 1, 32, 32], [1, 64, 64, 1], [1, 1000], [64], [1, 1, "h", 9]])
def test_a_network_that_gives_something_else_is_not(tmp_path: Path, shape: Shape) -> None:
    path = saved(tmp_path, network([1, 3, 64, 64], shape))

    with pytest.raises(
        WeightsMismatch, match=r"w\.onnx gives \[.*, its row wants one map of 64×64"
    ):
        require_declared_network(path, SPEC)


@pytest.mark.parametrize(
    "failure",
    [
        MemoryError(),
        RuntimeError("std::bad_alloc"),
        RuntimeError("[ONNXRuntimeError] : 6 : Failed to allocate memory for requested buffer"),
    ],
)
def test_a_model_that_does_not_fit_is_not_called_another_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, failure: Exception
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise failure

    monkeypatch.setattr("onnxruntime.InferenceSession", refuse)

    with pytest.raises(OutOfMemory, match=r"^w\.onnx does not fit in memory"):
        require_declared_network(saved(tmp_path, network([1, 3, 64, 64])), SPEC)


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

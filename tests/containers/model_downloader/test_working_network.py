"""Only an ONNX network with the input and the map its row describes is let through."""

from __future__ import annotations

import math
from pathlib import Path

import pytest

from containers.model_downloader.working_network import filled, require_working_network
from pipeline.declared.engines import FilledInput
from pipeline.declared.models import ModelRow, WeightsFile
from pipeline.errors import OutOfMemory, WeightsMismatch
from tests.containers.model_downloader.networks import Shape, answering, network, saved
from tests.models import PLAIN, REMOVER, SALIENCY, brightness

ROW = ModelRow(
    name="net",
    summary="For tests.",
    container=REMOVER,
    engine=SALIENCY,
    licence="MIT",
    commercial=True,
    memory_mb=512,
    table=PLAIN,
    files=(WeightsFile(name="w.onnx", digest=f"md5:{'0' * 32}"),),
)


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
    require_working_network(ROW, [saved(tmp_path, network(shape))])


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

    with pytest.raises(
        WeightsMismatch, match=r"w\.onnx takes .*; its row declares \[1, 3, 64, 64\]"
    ):
        require_working_network(ROW, [path])


@pytest.mark.parametrize(
    ("declared", "shape"),
    [
        ([1, 1, 64, 64], [1, 1, 64, 64]),
        ([1, 64, 64], [1, 64, 64]),
        ([64, 64], [64, 64]),
        ([1, 7, 64, 64], [1, 7, 64, 64]),
        (["batch", 1, "height", "width"], [1, 1, 64, 64]),
        ([None, None, 64, None], [1, 1, 64, 64]),
    ],
)
def test_a_network_that_gives_the_rows_map_is_let_through(
    tmp_path: Path, declared: Shape, shape: list[int]
) -> None:
    require_working_network(ROW, [saved(tmp_path, answering(declared, shape))])


@pytest.mark.parametrize("shape", [[1, 1, 32, 32], [1, 1, 64, 63], [64]])
def test_a_network_that_promises_a_map_and_answers_another_is_not(
    tmp_path: Path, shape: list[int]
) -> None:
    path = saved(tmp_path, answering(["batch", 1, "height", "width"], shape))

    with pytest.raises(
        WeightsMismatch, match=r"w\.onnx returns \[.*; its row declares \[\.\.\., 64, 64\]"
    ):
        require_working_network(ROW, [path])


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_a_network_that_answers_with_no_numbers_is_not(tmp_path: Path, value: float) -> None:
    path = saved(tmp_path, answering([1, 1, 64, 64], [1, 1, 64, 64], value))

    with pytest.raises(WeightsMismatch, match=r"w\.onnx returned NaN or infinity for its trial"):
        require_working_network(ROW, [path])


def test_a_network_that_fails_as_it_runs_is_not(tmp_path: Path) -> None:
    """This one wants a second input, which nobody will give it."""
    path = saved(tmp_path, network([1, 3, 64, 64], [1, 1, 64, 64]))

    with pytest.raises(WeightsMismatch, match=r"w\.onnx does not run"):
        require_working_network(ROW, [path])


def test_a_network_that_runs_out_of_memory_is_not_called_another_one(tmp_path: Path) -> None:
    path = saved(tmp_path, answering([None, None, None, None], [2**20, 2**26, 64, 64]))

    with pytest.raises(OutOfMemory, match=r"^w\.onnx does not fit in memory"):
        require_working_network(ROW, [path])


def test_a_trial_input_has_the_rows_own_shape() -> None:
    (photo,) = SALIENCY.files[0].inputs
    assert isinstance(photo, FilledInput)

    array = filled(photo, {**PLAIN, "input_size": 32})

    assert (array.shape, array.dtype.name) == ((1, 3, 32, 32), "float32")
    assert set(array.flat) == {0.5}


@pytest.mark.parametrize("shape", [[1, 1, 32, 32], [1, 64, 64, 1], [1, 1000], [64], [1, 1, "h", 9]])
def test_a_network_that_gives_something_else_is_not(tmp_path: Path, shape: Shape) -> None:
    path = saved(tmp_path, network([1, 3, 64, 64], shape))

    with pytest.raises(
        WeightsMismatch, match=r"w\.onnx has the output \[.*; its row declares \[\.\.\., 64, 64\]"
    ):
        require_working_network(ROW, [path])


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
        require_working_network(ROW, [saved(tmp_path, network([1, 3, 64, 64]))])


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
        require_working_network(ROW, [path])


def test_the_row_of_the_tests_own_model_is_true(tmp_path: Path) -> None:
    require_working_network(ROW, [saved(tmp_path, brightness().SerializeToString())])

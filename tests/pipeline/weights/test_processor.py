"""Networks run on the machine's GPU if it computes, else on its CPU, and the result says where."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime as ort
import pytest
from onnx import TensorProto, helper

from pipeline.errors import OutOfMemory
from pipeline.weights.onnx_session import open_session, runtime_of
from pipeline.weights.processor import CUDA, TRIAL, processor_of
from pipeline.weights.staged import Runtime
from tests.models import brightness

CPU = "CPUExecutionProvider"
DRIVER = "CUDA failure 35: CUDA driver version is insufficient for CUDA runtime version"


class Session(ort.InferenceSession):  # type: ignore[misc]
    """A session of the CPU that says that it runs with CUDA."""

    def get_providers(self) -> list[str]:
        return [CUDA, CPU]


class Wrong(Session):
    """A GPU that computes wrongly."""

    def run(self, *given: Any, **options: Any) -> list[Any]:
        return [answer + 1 for answer in super().run(*given, **options)]


@dataclass(eq=False)
class StandIn:
    """onnxruntime as its image for GPUs has it, on a machine without one.

    `session` makes what is asked of CUDA; `asked` has the providers of each session.
    """

    session: Callable[..., Any] = Session
    available: tuple[str, ...] = (CUDA, CPU)
    asked: list[list[Any]] = field(default_factory=list)
    preloaded: list[str] = field(default_factory=list)
    SessionOptions: Any = ort.SessionOptions
    __version__: str = ort.__version__

    def get_available_providers(self) -> list[str]:
        return list(self.available)

    def preload_dlls(self, *, cuda: bool, cudnn: bool, msvc: bool, directory: str) -> None:
        assert (cuda, cudnn, msvc, directory) == (True, True, False, "")
        self.preloaded.append("cuda")

    def InferenceSession(  # noqa: N802 - onnxruntime's name
        self, network: Any, options: Any = None, *, providers: list[Any], enable_fallback: int
    ) -> Any:
        assert not enable_fallback, "onnxruntime would go on with the CPU, and print that"
        self.asked.append(providers)
        make = self.session if len(providers) > 1 else ort.InferenceSession
        return make(network, options, providers=[CPU])


def failing(error: Exception) -> Callable[..., Any]:
    def fail(*_given: object, **_options: object) -> Any:
        raise error

    return fail


@pytest.fixture
def _gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pipeline.weights.processor.gpus", lambda: 1)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    onnx.save(brightness(), tmp_path / "net.onnx")
    return tmp_path / "net.onnx"


def opened(stand_in: Any, path: Path, *, optimised: bool = False) -> Any:
    return open_session(stand_in, path, memory="returned", threads=2, optimised=optimised)


def test_this_machine_s_onnxruntime_runs_on_the_cpu_alone(path: Path) -> None:
    if CUDA in ort.get_available_providers():
        pytest.skip("this environment has onnxruntime for GPUs")

    assert processor_of(ort).remark == "cpu"
    assert opened(ort, path).get_providers() == [CPU]


def test_without_a_gpu_cuda_is_not_even_loaded(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pipeline.weights.processor.gpus", lambda: 0)
    stand_in = StandIn()

    opened(stand_in, path)

    assert (stand_in.asked, stand_in.preloaded) == ([[CPU]], [])
    assert processor_of(stand_in).remark == "cpu, because there is no GPU"
    assert processor_of(stand_in).figure == 0.0


@pytest.mark.usefixtures("_gpu")
def test_with_a_gpu_cuda_comes_first_and_the_cpu_takes_what_it_cannot(path: Path) -> None:
    stand_in = StandIn()

    options = opened(stand_in, path).get_session_options()

    _trial, ((name, cuda), cpu) = stand_in.asked
    assert (name, cpu, stand_in.preloaded) == (CUDA, CPU, ["cuda"])
    assert cuda == {
        "use_tf32": "0",
        "cudnn_conv_algo_search": "HEURISTIC",
        "arena_extend_strategy": "kSameAsRequested",
    }
    assert options.intra_op_num_threads == 2
    assert options.get_session_config_entry("session.intra_op.allow_spinning") == "0"
    assert options.graph_optimization_level != ort.GraphOptimizationLevel.ORT_DISABLE_ALL
    assert (processor_of(stand_in).remark, processor_of(stand_in).figure) == ("gpu", 1.0)


@pytest.mark.usefixtures("_gpu")
def test_the_gpu_is_tried_once_per_process(path: Path) -> None:
    stand_in = StandIn()

    for _ in range(3):
        opened(stand_in, path)

    assert len(stand_in.asked) == 1 + 3


@pytest.mark.usefixtures("_gpu")
@pytest.mark.parametrize(
    ("session", "why"),
    [
        pytest.param(failing(RuntimeError(DRIVER)), DRIVER, id="driver-too-old"),
        pytest.param(ort.InferenceSession, "could not load CUDA", id="silently-on-the-cpu"),
        pytest.param(Wrong, "computed wrongly", id="computes-wrongly"),
    ],
)
def test_a_gpu_that_fails_is_told_and_the_cpu_is_used(
    path: Path, session: Callable[..., Any], why: str, caplog: pytest.LogCaptureFixture
) -> None:
    stand_in = StandIn(session=session)

    answering = opened(stand_in, path)

    assert answering.get_providers() == [CPU]
    assert stand_in.asked[-1] == [CPU]
    assert processor_of(stand_in).figure == 0.0
    assert why in processor_of(stand_in).remark
    (record,) = caplog.records
    assert (record.levelname, why in record.getMessage()) == ("WARNING", True)
    assert runtime_of(stand_in) == Runtime.here(onnxruntime=ort.__version__)


@pytest.mark.usefixtures("_gpu")
def test_a_network_laid_out_for_the_cpu_runs_there(path: Path) -> None:
    stand_in = StandIn()

    opened(stand_in, path, optimised=True)

    assert stand_in.asked == [[CPU]]


@pytest.mark.usefixtures("_gpu")
@pytest.mark.parametrize(
    "text",
    [
        "Failed to allocate memory for requested buffer of size 17179869184",
        "CUDA failure 2: out of memory",
        "CUDNN failure 4000: CUDNN_STATUS_ALLOC_FAILED",
    ],
)
def test_too_little_memory_on_the_gpu_has_its_name(path: Path, text: str) -> None:
    stand_in = StandIn()
    processor_of(stand_in)
    stand_in.session = failing(RuntimeError(text))

    with pytest.raises(OutOfMemory, match="onnxruntime: "):
        opened(stand_in, path)


@pytest.mark.usefixtures("_gpu")
def test_a_gpu_that_is_lost_after_its_trial_is_an_error(path: Path) -> None:
    """Another machine of AWS Batch may do it: the metric must not say that the GPU did."""
    stand_in = StandIn()
    processor_of(stand_in)
    stand_in.session = ort.InferenceSession

    with pytest.raises(RuntimeError, match=r"did not load net\.onnx on the GPU"):
        opened(stand_in, path)


@pytest.mark.usefixtures("_gpu")
def test_on_a_gpu_no_network_laid_out_for_a_cpu_serves() -> None:
    here = runtime_of(StandIn())
    cpus = (None, "x86_64-avx2", "x86_64-avx512f", "aarch64")

    assert str(here) == f"onnxruntime {ort.__version__} on a GPU"
    assert [cpu for cpu in cpus if Runtime(onnxruntime=ort.__version__, cpu=cpu).serves(here)] == [
        None
    ]


def test_the_trial_is_a_convolution_and_a_product() -> None:
    one, two = [1, 1, 1, 1], [1, 1, 2, 2]
    shapes = {"x": two, "w": one, "y": two}
    x, w, y = (
        helper.make_tensor_value_info(name, TensorProto.FLOAT, shape)
        for name, shape in shapes.items()
    )
    nodes = [
        helper.make_node("Conv", ["x", "w"], ["c"]),
        helper.make_node("MatMul", ["c", "c"], ["y"]),
    ]
    graph = helper.make_graph(nodes, "g", [x, w], [y])
    opset = helper.make_opsetid("", 13)
    model = helper.make_model(graph, ir_version=8, opset_imports=[opset])
    (answer,) = ort.InferenceSession(TRIAL, providers=[CPU]).run(
        None, {"x": np.ones(two, np.float32), "w": np.ones(one, np.float32)}
    )

    assert onnx.load_from_string(TRIAL) == model
    assert (answer == 2).all()

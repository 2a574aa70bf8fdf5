"""Choose what runs ONNX networks on this machine: its GPU if that computes, else its CPU.

Nothing is set for it. An image with CUDA runs on machines with and without a GPU.
"""

from __future__ import annotations

import functools
import logging
from dataclasses import dataclass
from typing import Any, Final, Protocol

import numpy as np

from pipeline.hardware import gpus

_LOG: Final = logging.getLogger(__name__)
_CPU: Final = "CPUExecutionProvider"
CUDA: Final = "CUDAExecutionProvider"
# TF32 rounds products to 10 bits: answers would leave the bounds that `staged` allows in 32 bits.
# The default search tries every kernel of cuDNN at each network's first run. Memory grows by what
# is asked for, and not to the next power of two.
_CUDA_OPTIONS: Final = {
    "use_tf32": "0",
    "cudnn_conv_algo_search": "HEURISTIC",
    "arena_extend_strategy": "kSameAsRequested",
}
# As ONNX: y = c·c, with c the convolution of x, 1×1×2×2, with w, 1×1×1×1. cuDNN and cuBLAS load.
TRIAL: Final = (
    b'\x08\x08:~\n\x0f\n\x01x\n\x01w\x12\x01c"\x04Conv\n\x11\n\x01c\n\x01c\x12\x01y"\x06MatMul'
    b"\x12\x01gZ\x1b\n\x01x\x12\x16\n\x14\x08\x01\x12\x10\n\x02\x08\x01\n\x02\x08\x01\n\x02\x08\x02"
    b"\n\x02\x08\x02Z\x1b\n\x01w\x12\x16\n\x14\x08\x01\x12\x10\n\x02\x08\x01\n\x02\x08\x01\n\x02"
    b"\x08\x01\n\x02\x08\x01b\x1b\n\x01y\x12\x16\n\x14\x08\x01\x12\x10\n\x02\x08\x01\n\x02\x08\x01"
    b"\n\x02\x08\x02\n\x02\x08\x02B\x04\n\x00\x10\r"
)


class Onnxruntime(Protocol):
    """The module `onnxruntime`; only the images that ship it may import it."""

    __version__: str
    SessionOptions: Any

    @property
    def InferenceSession(self) -> Any: ...  # noqa: ANN401, N802 - a class without types

    def __hash__(self) -> int: ...

    def get_available_providers(self) -> list[str]: ...

    def preload_dlls(self, *, cuda: bool, cudnn: bool, msvc: bool, directory: str) -> None: ...


@dataclass(frozen=True)
class Processor:
    """What runs networks here. `remark` also says why a GPU that is there is not used."""

    gpu: bool
    remark: str

    @property
    def figure(self) -> float:
        """The metric `gpu`: 1 or 0."""
        return float(self.gpu)

    @property
    def providers(self) -> list[str | tuple[str, dict[str, str]]]:
        """What onnxruntime is asked for: nodes without a form for GPUs run on the CPU."""
        return [(CUDA, _CUDA_OPTIONS), _CPU] if self.gpu else [_CPU]


CPU: Final = Processor(gpu=False, remark="cpu")
GPU: Final = Processor(gpu=True, remark="gpu")


def gpu_unused(why: object) -> Processor:
    """Return the CPU, and log that the GPU could not be used."""
    _LOG.warning("this machine has a GPU, and the CPU is used: %s", why)
    return Processor(gpu=False, remark=f"cpu, because the GPU failed: {why}")


@functools.cache
def processor_of(ort: Onnxruntime) -> Processor:
    """Return what runs networks here, found out once per process.

    A GPU counts only if it computes: its driver may be too old for the CUDA of onnxruntime, which
    would log that and continue on the CPU.
    """
    if CUDA not in ort.get_available_providers():
        return CPU
    if not gpus():
        return Processor(gpu=False, remark="cpu, because there is no GPU")
    try:
        ort.preload_dlls(cuda=True, cudnn=True, msvc=False, directory="")
        _require_computing(ort)
    except Exception as error:  # noqa: BLE001 - onnxruntime's errors have no class in common
        return gpu_unused(error)
    return GPU


def _require_computing(ort: Onnxruntime) -> None:
    """Run a small network with CUDA. Raises RuntimeError, or an error of onnxruntime."""
    session = ort.InferenceSession(TRIAL, providers=GPU.providers, enable_fallback=0)
    if CUDA not in session.get_providers():
        raise RuntimeError("onnxruntime could not load CUDA; it has logged why")
    x, w = np.ones((1, 1, 2, 2), np.float32), np.ones((1, 1, 1, 1), np.float32)
    (y,) = session.run(None, {"x": x, "w": w})
    if not (y == 2).all():
        raise RuntimeError("CUDA computed wrongly")

"""Load a Whisper model with CTranslate2: on the machine's GPU if that computes, else on its CPU."""

from __future__ import annotations

import ctypes
from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy as np

from pipeline.hardware import gpus
from pipeline.weights.processor import CPU, GPU, Processor, gpu_unused

# On both, products are in 8 bits, with the same weights, and all else is in 32: half precision
# would be another model than the CPU's. Some GPUs have no products in 8 bits.
_GPU_TYPES: Final = ("int8_float32", "float32")
_CUBLAS: Final = ("libcublasLt.so.12", "libcublas.so.12")
_FRAMES: Final = 3000  # of 30 s of sound
_ALLOCATION_FAILURES: Final = (
    "bad_alloc", "failed to allocate", "out of memory", "not enough mem", "status_alloc_failed",
)  # fmt: skip


class Engine(NamedTuple):
    """A loaded model, `ctranslate2.models.Whisper`, and what runs it."""

    model: Any
    processor: Processor


def load_engine(ctranslate2: Any, folder: Path, *, threads: int) -> Engine:  # noqa: ANN401 - a module
    """Load the model in a folder, with the module `ctranslate2`.

    Raises RuntimeError or ValueError as CTranslate2 does.
    """
    processor = CPU
    if gpus():
        try:
            return Engine(_on_gpu(ctranslate2, folder, threads), GPU)
        except (OSError, RuntimeError, ValueError) as error:
            if is_allocation_failure(error):
                raise
            processor = gpu_unused(error)
    model = ctranslate2.models.Whisper(
        str(folder), device="cpu", compute_type="int8", inter_threads=1, intra_threads=threads
    )
    return Engine(model, processor)


def is_allocation_failure(error: Exception) -> bool:
    """Return True if memory was insufficient, which CTranslate2 reports only in its text."""
    return any(sign in str(error).lower() for sign in _ALLOCATION_FAILURES)


def _on_gpu(ctranslate2: Any, folder: Path, threads: int) -> Any:  # noqa: ANN401 - no types
    """Load the model, and run its encoder once: cuBLAS loads at the first product."""
    if not ctranslate2.get_cuda_device_count():
        raise RuntimeError("CTranslate2 finds no GPU: its driver may be older than CUDA 12")
    packages = Path(ctranslate2.__file__).parents[1]
    for name in _CUBLAS:  # CTranslate2 finds by name what is loaded, and not what is in packages
        library = packages / "nvidia" / "cublas" / "lib" / name
        if library.is_file():
            ctypes.CDLL(str(library))
    able = ctranslate2.get_supported_compute_types("cuda")
    model = ctranslate2.models.Whisper(
        str(folder),
        device="cuda",
        compute_type=next(each for each in _GPU_TYPES if each in able),
        inter_threads=1,
        intra_threads=threads,
    )
    silence = np.zeros((1, model.n_mels, _FRAMES), np.float32)
    model.encode(ctranslate2.StorageView.from_array(silence), to_cpu=True)
    return model

"""Open onnxruntime's sessions: on a GPU, or as the model downloader measured them on the CPU."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final, Protocol

from pipeline import hardware
from pipeline.errors import OutOfMemory
from pipeline.weights.processor import CPU, CUDA, Onnxruntime, processor_of
from pipeline.weights.staged import Memory, Runtime

_ALLOCATION_FAILURES: Final = (
    "failed to allocate memory", "bad_alloc", "bad allocation",
    "out of memory", "status_alloc_failed",  # of CUDA, cuDNN and cuBLAS
)  # fmt: skip


class Options(Protocol):
    """`onnxruntime.SessionOptions`; only the images that ship onnxruntime may import it."""

    intra_op_num_threads: int
    inter_op_num_threads: int
    enable_cpu_mem_arena: bool
    enable_mem_pattern: bool
    enable_mem_reuse: bool
    execution_order: Any
    graph_optimization_level: Any

    def add_session_config_entry(self, key: str, value: str, /) -> None: ...


def runtime_of(ort: Onnxruntime) -> Runtime | None:
    """Return what an optimised network must be made for; None if the CPU is unknown."""
    return Runtime.here(onnxruntime=ort.__version__, gpu=processor_of(ort).gpu)


def open_session(
    ort: Onnxruntime, weights: Path, *, memory: Memory, threads: int, optimised: bool
) -> Any:  # noqa: ANN401 - onnxruntime.InferenceSession
    """Load a network on this machine's GPU or CPU. Raises OutOfMemory if it does not fit.

    A network that is `optimised` was laid out for the CPU, and runs there.
    """
    processor = CPU if optimised else processor_of(ort)
    options = ort.SessionOptions()
    if processor.gpu:
        options.intra_op_num_threads = threads
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    else:
        if memory == "mapped":
            hardware.map_large_blocks()
        set_up(options, memory=memory, threads=threads, optimised=optimised)
    with named_allocation_failures():
        session = ort.InferenceSession(
            weights, options, providers=processor.providers, enable_fallback=0
        )
    if processor.gpu and CUDA not in session.get_providers():
        raise RuntimeError(f"onnxruntime did not load {weights.name} on the GPU")
    return session


def set_up(options: Options, *, memory: Memory, threads: int, optimised: bool) -> None:
    """Set the options of a session on the CPU. An `optimised` network is loaded unchanged.

    Kept memory stays at a run's peak, so the next run need not request it from the system.
    Otherwise each buffer is returned when its last reader is done: without reuse for tensors of the
    same size, BiRefNet needs a quarter less. The arena without reuse, or reuse without the arena,
    is slow as well as large.

    Memory that is `mapped` is not planned either: from the second run on, onnxruntime would take
    one block for all values, which is larger than what they need at any time.
    """
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.enable_cpu_mem_arena = options.enable_mem_reuse = memory == "kept"
    options.enable_mem_pattern = memory != "mapped"
    options.execution_order = type(options.execution_order).PRIORITY_BASED
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    if optimised:
        level = type(options.graph_optimization_level)
        options.graph_optimization_level = level.ORT_DISABLE_ALL


def is_allocation_failure(error: Exception) -> bool:
    """Return True if memory was insufficient, which onnxruntime reports only in its text."""
    text = str(error).lower()
    return isinstance(error, MemoryError) or any(sign in text for sign in _ALLOCATION_FAILURES)


@contextmanager
def named_allocation_failures() -> Iterator[None]:
    """Raise OutOfMemory where onnxruntime had too little memory."""
    try:
        yield
    except Exception as error:
        if is_allocation_failure(error):
            raise OutOfMemory(f"onnxruntime: {error}") from error
        raise

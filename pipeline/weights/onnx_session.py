"""Set up onnxruntime's sessions as the model downloader measured them, and name its failures."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final, Protocol

from pipeline.errors import OutOfMemory
from pipeline.weights.staged import Memory

_ALLOCATION_FAILURES: Final = ("failed to allocate memory", "bad_alloc", "bad allocation")


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


def set_up(options: Options, *, memory: Memory, threads: int, optimised: bool) -> None:
    """Set the options of a session. An `optimised` network is loaded unchanged.

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

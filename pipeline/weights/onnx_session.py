"""Set up an onnxruntime session: what the downloader measures is what the remover opens."""

from __future__ import annotations

from typing import Any, Protocol

from pipeline.weights.staged import Memory


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

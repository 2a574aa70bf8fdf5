"""A network is opened as its staged weights record says."""

from __future__ import annotations

from pathlib import Path

import onnx
import onnxruntime as ort
import pytest

from containers.background_remover.network import open_network
from pipeline.weights.staged import Memory
from tests.models import brightness


@pytest.fixture
def path(tmp_path: Path) -> Path:
    onnx.save(brightness(), tmp_path / "net.onnx")
    return tmp_path / "net.onnx"


@pytest.mark.parametrize(("memory", "arena"), [("returned", False), ("kept", True)])
def test_memory_is_kept_or_returned(path: Path, memory: Memory, arena: bool) -> None:  # noqa: FBT001
    options = open_network(path, memory=memory, threads=2).session.get_session_options()

    assert options.enable_cpu_mem_arena is arena
    assert options.enable_mem_reuse is arena
    assert options.intra_op_num_threads == 2
    assert options.execution_order == ort.ExecutionOrder.PRIORITY_BASED


def test_a_network_without_a_choice_returns_its_memory(path: Path) -> None:
    options = open_network(path).session.get_session_options()

    assert options.enable_cpu_mem_arena is False


def test_an_optimised_network_is_loaded_unchanged(path: Path) -> None:
    options = open_network(path, optimised=True).session.get_session_options()

    assert options.graph_optimization_level == ort.GraphOptimizationLevel.ORT_DISABLE_ALL

"""What is proven is published beside the original; else the manifest says why nothing is."""

from __future__ import annotations

import hashlib
import math
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import onnx
import onnxruntime as ort
import pytest

from containers.model_downloader import optimiser
from containers.model_downloader.optimisation.__main__ import ABANDONED
from containers.model_downloader.optimisation.order import Lean, Order
from containers.model_downloader.optimiser import Optimiser
from pipeline.artifacts import LocalStore, Location
from pipeline.declared.models import WeightsFile
from pipeline.weights.staged import Runtime
from tests.bench.standins.layers import conv
from tests.bench.standins.net import Net
from tests.conftest import ROOT
from tests.containers.model_downloader.optimisation.desk import DIGEST, ROW, Try, place, stored
from tests.containers.model_downloader.optimisation.networks import small_birefnet
from tests.models import SAM2


def test_the_optimised_network_is_published_with_what_it_was_made_of_and_for(
    attempt: Try, published: Path, store: LocalStore
) -> None:
    (network, _), reason, _ = attempt(published)

    assert reason is None
    assert network.source_sha256 == hashlib.sha256(published.read_bytes()).hexdigest()
    assert network.runtime == Runtime.here(onnxruntime=ort.__version__)
    assert (network.precision, network.proven) == ("float32", True)
    assert [file.name for file in network.files] == ["net.exact.onnx", "net.exact.onnx.data"]
    for file in network.files:
        content = store.read(Location.parse(file.artifact.uri))
        assert hashlib.sha256(content).hexdigest() == file.artifact.sha256
        assert len(content) == file.artifact.bytes


def test_a_rewritten_network_is_also_published_for_every_cpu(
    attempt: Try, tmp_path: Path, store: LocalStore
) -> None:
    onnx.save(small_birefnet(), tmp_path / "net.onnx")

    (exact, portable), _, _ = attempt(tmp_path / "net.onnx", side=64)

    assert portable.runtime == Runtime(onnxruntime=ort.__version__, cpu=None)
    assert exact.runtime.cpu is not None
    names = [file.name for network in (exact, portable) for file in network.files]
    assert sorted(names) == stored(store)


def test_all_declared_outputs_are_to_be_compared(
    tmp_path: Path, store: LocalStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    orders: list[Order] = []

    def refusing(order: Order, *, seconds: float) -> Lean:
        del seconds
        orders.append(order)
        return Lean(onnxruntime=ort.__version__, refused="not now")

    monkeypatch.setattr(optimiser, "make_lean_apart", refusing)
    names = ("encoder.onnx", "decoder.onnx")
    files = tuple(WeightsFile(name=name, digest=DIGEST) for name in names)
    row = ROW.model_copy(update={"engine": SAM2, "files": files, "table": {}})
    for name in names:
        (tmp_path / name).write_bytes(bytes(optimiser.LEAST_BYTES))
        Optimiser(store, 4096, lambda: math.inf).optimise(tmp_path / name, name, row, place)

    assert [order.outputs for order in orders] == [3, 2]


def test_only_the_original_is_left_in_the_staging_folder(attempt: Try, published: Path) -> None:
    attempt(published)

    assert list(published.parent.iterdir()) == [published]


def test_a_small_network_is_not_worth_it(attempt: Try, tmp_path: Path, store: LocalStore) -> None:
    net = Net()
    onnx.save(net.model(conv(net, net.input("photo", 1, 3, 8, 8), "c", 1, 3)), tmp_path / "s.onnx")

    assert attempt(tmp_path / "s.onnx") == ((), "the file is too small to benefit", None)
    assert stored(store) == []


def test_a_file_that_is_no_network_is_passed_over(attempt: Try, tmp_path: Path) -> None:
    (tmp_path / "read me.txt").write_bytes(bytes(2**21))

    assert attempt(tmp_path / "read me.txt") == ((), None, None)


def test_too_little_memory_is_a_reason_and_no_failure(
    attempt: Try, published: Path, store: LocalStore
) -> None:
    networks, reason, _ = attempt(published, memory_mb=512 + 1)  # less than Python itself holds

    assert networks == ()
    assert reason is not None
    assert reason.startswith("optimising failed: ")
    assert stored(store) == []


def test_too_little_time_is_a_reason_and_no_failure(
    attempt: Try, published: Path, store: LocalStore
) -> None:
    assert attempt(published, seconds=0.01) == ((), "optimising ran out of time", None)
    assert stored(store) == []


def test_a_broken_network_is_a_reason_and_no_failure(attempt: Try, published: Path) -> None:
    published.write_bytes(published.read_bytes()[: -(2**20)] + bytes(2**20))

    networks, reason, _ = attempt(published)

    assert networks == ()
    assert reason is not None
    assert "optimising failed" in reason


def test_the_work_ends_when_its_caller_does(published: Path) -> None:
    fields: dict[str, Any] = {"shape": (1, 3, 32, 32), "activation": "none", "memory_mb": 4096}
    order = Order(network=published, folder=published.parent, **fields)
    module = "containers.model_downloader.optimisation"
    ours, alive = os.pipe()
    command = [sys.executable, "-m", module, order.model_dump_json()]
    work = subprocess.Popen(command, cwd=ROOT, stdin=ours, stdout=subprocess.DEVNULL)
    os.close(ours)

    os.close(alive)

    assert work.wait(timeout=30) == ABANDONED

"""What is proven is published beside the original; else the manifest says why nothing is."""

from __future__ import annotations

import hashlib
import math
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import onnx
import onnxruntime as ort
import pytest

from containers.model_downloader.optimisation.__main__ import ABANDONED
from containers.model_downloader.optimisation.order import Order
from containers.model_downloader.optimiser import Optimiser, Outcome
from pipeline.artifacts import LocalStore, Location
from pipeline.manifest import ModelRow, WeightsFile
from pipeline.specs import SaliencySpec
from pipeline.staged import Runtime
from tests.bench.standins.layers import conv
from tests.bench.standins.net import Net
from tests.bench.standins.u2net import SMALL_DOWN, SMALL_UP, u2net
from tests.conftest import ROOT
from tests.containers.model_downloader.optimisation.networks import small_birefnet

SPEC = SaliencySpec(input_size=32, scale=255.0, mean=(0, 0, 0), std=(1, 1, 1), activation="none")
ROW = ModelRow(
    name="net", summary="For tests.", engine="saliency", licence="MIT", commercial=True,
    memory_mb=512, saliency=SPEC, files=(WeightsFile(name="net.onnx", digest="md5:" + "0" * 32),),
)  # fmt: skip

Try = Callable[..., Outcome]


def place(name: str) -> Location:
    return Location("models", f"net/{name}")


@pytest.fixture
def store(tmp_path: Path) -> LocalStore:
    return LocalStore(tmp_path / "store")


@pytest.fixture
def published(tmp_path: Path) -> Path:
    """U-2-Net's graph on 32² pixels, with all of u2netp's weights."""
    (tmp_path / "staging").mkdir()
    path = tmp_path / "staging" / "net.onnx"
    onnx.save(u2net(SMALL_DOWN, SMALL_UP, side=32), path)
    return path


@pytest.fixture
def attempt(store: LocalStore) -> Try:
    def run(path: Path, *, memory_mb: int = 4096, seconds: float = math.inf) -> Outcome:
        return Optimiser(store, memory_mb, lambda: seconds).optimise(path, ROW, place)

    return run


def stored(store: LocalStore) -> list[str]:
    return sorted(path.name for path in store.root.rglob("*") if path.is_file())


def test_the_optimised_network_is_published_with_what_it_was_made_of_and_for(
    attempt: Try, published: Path, store: LocalStore
) -> None:
    (network,), reason, _ = attempt(published)

    assert reason is None
    assert network.source_sha256 == hashlib.sha256(published.read_bytes()).hexdigest()
    assert network.runtime == Runtime.here(onnxruntime=ort.__version__)
    assert (network.precision, network.proof.holds) == ("float32", True)
    assert [file.name for file in network.files] == ["net.exact.onnx", "net.exact.onnx.data"]
    for file in network.files:
        content = store.read(Location.parse(file.artifact.uri))
        assert hashlib.sha256(content).hexdigest() == file.artifact.sha256
        assert len(content) == file.artifact.bytes


def test_a_rewritten_network_is_also_published_for_every_cpu(
    attempt: Try, tmp_path: Path, store: LocalStore
) -> None:
    onnx.save(small_birefnet(), tmp_path / "net.onnx")

    (exact, portable), _, _ = attempt(tmp_path / "net.onnx")

    assert portable.runtime == Runtime(onnxruntime=ort.__version__, cpu=None)
    assert exact.runtime.cpu is not None
    names = [file.name for network in (exact, portable) for file in network.files]
    assert sorted(names) == stored(store)


def test_only_the_original_is_left_in_the_staging_folder(attempt: Try, published: Path) -> None:
    attempt(published)

    assert list(published.parent.iterdir()) == [published]


def test_a_small_network_is_not_worth_it(attempt: Try, tmp_path: Path, store: LocalStore) -> None:
    net = Net()
    onnx.save(net.model(conv(net, net.input("photo", 1, 3, 8, 8), "c", 1, 3)), tmp_path / "s.onnx")

    assert attempt(tmp_path / "s.onnx") == ((), "it is too small to gain from it", None)
    assert stored(store) == []


def test_a_file_that_is_no_network_is_passed_over(attempt: Try, tmp_path: Path) -> None:
    (tmp_path / "read me.txt").write_bytes(bytes(2**21))

    assert attempt(tmp_path / "read me.txt") == ((), None, None)


def test_too_little_memory_is_a_reason_and_no_failure(
    attempt: Try, published: Path, store: LocalStore
) -> None:
    networks, reason, _ = attempt(published, memory_mb=512 + 150)

    assert networks == ()
    assert reason is not None
    assert reason.startswith("it could not be done: ")
    assert stored(store) == []


def test_too_little_time_is_a_reason_and_no_failure(
    attempt: Try, published: Path, store: LocalStore
) -> None:
    assert attempt(published, seconds=0.01) == ((), "there was not enough time", None)
    assert stored(store) == []


def test_a_broken_network_is_a_reason_and_no_failure(attempt: Try, published: Path) -> None:
    published.write_bytes(published.read_bytes()[: -(2**20)] + bytes(2**20))

    networks, reason, _ = attempt(published)

    assert networks == ()
    assert reason is not None
    assert "could not be done" in reason


def test_the_work_ends_when_its_caller_does(published: Path) -> None:
    fields: dict[str, Any] = {"side": 32, "activation": "none", "memory_mb": 4096}
    order = Order(network=published, folder=published.parent, **fields)
    module = "containers.model_downloader.optimisation"
    ours, alive = os.pipe()
    command = [sys.executable, "-m", module, order.model_dump_json()]
    work = subprocess.Popen(command, cwd=ROOT, stdin=ours, stdout=subprocess.DEVNULL)
    os.close(ours)

    os.close(alive)

    assert work.wait(timeout=30) == ABANDONED

"""Whisper runs on the machine's GPU if it computes, else on its CPU, and the result says where."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import ctranslate2
import pytest

from containers.transcriber.engine import load_engine
from containers.transcriber.small_whisper import build_whisper
from containers.transcriber.whisper import open_whisper
from pipeline.errors import OutOfMemory, WeightsMismatch

ABLE = frozenset({"float32", "float16", "int8", "int8_float32", "int8_float16"})
DRIVER = "CUDA failed with error CUDA driver version is insufficient for CUDA runtime version"
CUBLAS = "Library libcublas.so.12 is not found or cannot be loaded"


@dataclass(frozen=True)
class Loaded:
    """A model on the stand-in's GPU. `encode` fails if it is told to."""

    n_mels: int
    fail: Callable[[], None]

    def encode(self, features: ctranslate2.StorageView, *, to_cpu: bool) -> None:
        assert (features.shape, to_cpu) == ([1, self.n_mels, 3000], True)
        self.fail()


@dataclass
class StandIn:
    """CTranslate2 on a machine with a GPU. `load_fails` and `encode_fails` are texts of errors."""

    folder: Path
    able: frozenset[str] = ABLE
    devices: int = 1
    load_fails: str = ""
    encode_fails: str = ""
    asked: list[tuple[str, str]] = field(default_factory=list)
    StorageView: Any = ctranslate2.StorageView

    @property
    def __file__(self) -> str:
        return str(self.folder / "ctranslate2" / "__init__.py")

    @property
    def models(self) -> Any:
        return SimpleNamespace(Whisper=self._load)

    def get_cuda_device_count(self) -> int:
        return self.devices

    def get_supported_compute_types(self, device: str) -> frozenset[str]:
        assert device == "cuda"
        return self.able

    def _load(self, folder: str, *, device: str, compute_type: str, **threads: int) -> Any:
        self.asked.append((device, compute_type))
        assert threads == {"inter_threads": 1, "intra_threads": 2}
        if device == "cpu":
            return ctranslate2.models.Whisper(folder, device=device, compute_type=compute_type)
        raise_if(self.load_fails)
        return Loaded(80, lambda: raise_if(self.encode_fails))


def raise_if(text: str) -> None:
    if text:
        raise RuntimeError(text)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    build_whisper(tmp_path / "small", (" One,", " two."))
    return tmp_path / "small"


@pytest.fixture
def _gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("containers.transcriber.engine.gpus", lambda: 1)


@pytest.mark.usefixtures("_gpu")
@pytest.mark.parametrize(
    ("able", "chosen"),
    [
        pytest.param(ABLE, "int8_float32", id="8-bits"),
        pytest.param(ABLE - {"int8", "int8_float32"}, "float32", id="no-products-in-8-bits"),
    ],
)
def test_a_gpu_has_the_cpu_s_weights_and_32_bits_beside_them(
    folder: Path, able: frozenset[str], chosen: str
) -> None:
    stand_in = StandIn(folder, able=able)

    engine = load_engine(stand_in, folder, threads=2)

    assert stand_in.asked == [("cuda", chosen)]
    assert engine.processor.remark == "gpu"


def test_without_a_gpu_the_cpu_does_it(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("containers.transcriber.engine.gpus", lambda: 0)
    stand_in = StandIn(folder)

    engine = load_engine(stand_in, folder, threads=2)

    assert stand_in.asked == [("cpu", "int8")]
    assert engine.processor.remark == "cpu"


@pytest.mark.usefixtures("_gpu")
@pytest.mark.parametrize(
    ("changes", "why"),
    [
        pytest.param({"devices": 0}, "finds no GPU", id="driver-of-cuda-11"),
        pytest.param({"load_fails": DRIVER}, DRIVER, id="driver-too-old"),
        pytest.param({"encode_fails": CUBLAS}, CUBLAS, id="no-cublas"),
    ],
)
def test_a_gpu_that_fails_is_told_and_the_cpu_is_used(
    folder: Path, changes: dict[str, Any], why: str, caplog: pytest.LogCaptureFixture
) -> None:
    stand_in = StandIn(folder, **changes)

    engine = load_engine(stand_in, folder, threads=2)

    assert stand_in.asked[-1] == ("cpu", "int8")
    assert engine.processor.figure == 0.0
    assert why in engine.processor.remark
    (record,) = caplog.records
    assert (record.levelname, why in record.getMessage()) == ("WARNING", True)


@pytest.mark.usefixtures("_gpu")
@pytest.mark.parametrize(
    "text", ["CUDA failed with error out of memory", "CUBLAS_STATUS_ALLOC_FAILED"]
)
def test_too_little_memory_on_the_gpu_has_its_name(
    folder: Path, text: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    stand_in = StandIn(folder, load_fails=text)
    monkeypatch.setitem(sys.modules, "ctranslate2", stand_in)

    with pytest.raises(OutOfMemory, match="ctranslate2: "):
        open_whisper.__wrapped__(folder, threads=2)
    assert [device for device, _ in stand_in.asked] == ["cuda"]


@pytest.mark.usefixtures("_gpu")
def test_files_that_are_no_model_are_told_as_such_on_a_gpu_too(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder / "model.bin").write_bytes(b"no model")
    stand_in = StandIn(folder, load_fails="Unsupported model binary version")
    monkeypatch.setitem(sys.modules, "ctranslate2", stand_in)

    with pytest.raises(WeightsMismatch, match="cannot load the model"):
        open_whisper.__wrapped__(folder, threads=2)


@pytest.mark.usefixtures("_gpu")
def test_the_image_s_own_cublas_is_loaded_first(folder: Path, tmp_path: Path) -> None:
    """What is no library stands for one that the driver does not support."""
    libraries = tmp_path / "nvidia" / "cublas" / "lib"
    libraries.mkdir(parents=True)
    (libraries / "libcublasLt.so.12").write_bytes(b"no library")
    stand_in = StandIn(tmp_path)

    engine = load_engine(stand_in, folder, threads=2)

    assert "libcublasLt.so.12" in engine.processor.remark
    assert [device for device, _ in stand_in.asked] == ["cpu"]

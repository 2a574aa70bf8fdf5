"""A GPU image is its container's image with ONNX Runtime for CUDA, and what that loads."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import pytest

from pipeline.declared.containers import ContainerManifest, load_containers
from pipeline.releases.shipping import locks_of
from tests.conftest import ROOT
from tests.contracts.requirements import Pin, read_lock, read_names

CONTAINERS: Final = load_containers(ROOT)
WITH: Final = [each for each in CONTAINERS if each.has_gpu_image]
EACH: Final = pytest.mark.parametrize("container", WITH, ids=lambda one: one.name)
ORT, ORT_GPU = "onnxruntime", "onnxruntime-gpu"
DOCKERFILE: Final = (ROOT / "containers" / "Dockerfile").read_text(encoding="utf-8")


def folder_of(container: ContainerManifest) -> Path:
    return ROOT / "containers" / container.folder


def locked(container: ContainerManifest, name: str) -> dict[str, Pin]:
    return {pin.name: pin for pin in read_lock(folder_of(container) / name)}


@pytest.mark.parametrize("container", CONTAINERS, ids=lambda one: one.name)
def test_a_container_has_the_lock_of_a_gpu_image_if_it_says_so(
    container: ContainerManifest,
) -> None:
    names = {path.name for path in locks_of(ROOT, container.folder)}

    assert ("requirements-gpu.txt" in names) is container.has_gpu_image
    assert "requirements.txt" in names


@EACH
def test_it_asks_for_what_the_image_has_and_for_cuda(container: ContainerManifest) -> None:
    own = read_names(folder_of(container) / "requirements.in")
    gpu = read_names(folder_of(container) / "requirements-gpu.in")

    assert own - gpu == {ORT}
    assert {name for name in gpu - own if not name.startswith("nvidia-")} == {ORT_GPU}


@EACH
def test_it_has_the_image_s_versions(container: ContainerManifest) -> None:
    own, gpu = (locked(container, f"requirements{kind}.txt") for kind in ("", "-gpu"))
    more = {name for name in gpu.keys() - own.keys() if not name.startswith("nvidia-")}

    assert {name: gpu.get(name) for name in own if name != ORT} == {
        name: pin for name, pin in own.items() if name != ORT
    }
    assert more == {ORT_GPU}
    assert gpu[ORT_GPU].version == own[ORT].version
    assert all(pin.hashes for pin in gpu.values())


def test_whisper_has_the_cuda_that_its_library_loads() -> None:
    """CTranslate2's wheel loads libcublas.so.12 by name; ONNX Runtime's loads CUDA 13."""
    (transcriber,) = (each for each in WITH if each.name == "transcriber")
    gpu = locked(transcriber, "requirements-gpu.txt")

    assert gpu["nvidia-cublas-cu12"].version.startswith("12.")
    assert gpu["nvidia-cublas"].version.startswith("13.")


def test_the_build_argument_chooses_the_lock() -> None:
    assert "requirements${GPU:+-gpu}.txt" in DOCKERFILE


@EACH
def test_one_place_decides_what_runs_its_networks(container: ContainerManifest) -> None:
    """A session that a container opens by itself would stay on the CPU, unseen."""
    sources = [path.read_text(encoding="utf-8") for path in folder_of(container).glob("*.py")]

    assert any("open_session(ort," in text for text in sources)
    assert not any("ort.InferenceSession(" in text for text in sources)

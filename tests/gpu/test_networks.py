"""Each network answers on the GPU as on the CPU, within the bounds of the proof at staging."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Final

import numpy as np
import onnx
import onnxruntime as ort
import pytest

from containers.background_remover.saliency import SaliencySpec
from containers.model_downloader.optimisation.order import Activation
from containers.model_downloader.optimisation.pictures import Tensor, inputs
from containers.model_downloader.optimisation.proof import compared
from containers.model_downloader.optimisation.sounds import sounds
from pipeline.declared.catalogue import load_catalogue
from pipeline.declared.models import ModelRow
from pipeline.weights.onnx_session import open_session
from pipeline.weights.processor import CUDA
from tests.bench.standins.u2net import u2netp
from tests.bench.standins.wav2vec2 import wav2vec2
from tests.conftest import ROOT
from tests.containers.model_downloader.optimisation.test_sounds import SMALL
from tests.e2e.conftest import kept

pytestmark = [pytest.mark.gpu, pytest.mark.timeout(900)]

RATE: Final = 16_000
CATALOGUE: Final = load_catalogue(ROOT)
SALIENCY: Final = [row for row in CATALOGUE.rows if row.engine.name == "saliency"]
LISTENERS: Final = [row for row in CATALOGUE.rows if row.engine.name == "ctc"]
FOLDERS: Final = {"starter": ROOT / "containers" / "background_remover" / "starter"}
TONES: Final = ROOT / "containers" / "diarizer" / "tones"


def require_alike(path: Path, drawn: Sequence[Tensor], activation: Activation) -> None:
    """Run a published network on both, and compare as staging does."""
    on_cpu = ort.InferenceSession(path, providers=["CPUExecutionProvider"])
    on_gpu = open_session(ort, path, memory="returned", threads=2, optimised=False)
    assert CUDA in on_gpu.get_providers()
    name, target = on_cpu.get_inputs()[0].name, on_cpu.get_outputs()[0].name
    cpu, gpu = (
        [session.run([target], {name: each})[0] for each in drawn] for session in (on_cpu, on_gpu)
    )

    proof = compared(cpu, gpu, precision="float32", activation=activation)

    assert proof.holds("float32"), proof


def pictures(side: int) -> list[Tensor]:
    drawn = inputs((1, 3, side, side))
    assert drawn
    return [each.astype(np.float32) for each in drawn]


def path_of(row: ModelRow) -> Path:
    """Return the row's published network; skip if this machine has not kept it."""
    return (FOLDERS.get(row.name) or kept(row.name)) / row.files[0].name


@pytest.mark.parametrize("row", SALIENCY, ids=lambda row: row.name)
def test_a_mask_is_the_cpu_s(row: ModelRow) -> None:
    spec = row.spec(SaliencySpec)

    require_alike(path_of(row), pictures(spec.input_size), spec.activation)


@pytest.mark.parametrize("row", LISTENERS, ids=lambda row: row.name)
def test_characters_are_the_cpu_s(row: ModelRow) -> None:
    require_alike(path_of(row), sounds(RATE * 5, RATE), "softmax")


def test_a_drawn_mask_is_the_cpu_s(tmp_path: Path) -> None:
    onnx.save(u2netp(), tmp_path / "net.onnx")

    require_alike(tmp_path / "net.onnx", pictures(320), "none")


def test_drawn_characters_are_the_cpu_s(tmp_path: Path) -> None:
    onnx.save(wav2vec2(SMALL), tmp_path / "net.onnx")

    require_alike(tmp_path / "net.onnx", sounds(RATE * 3, RATE), "softmax")


def test_tones_are_told_apart_as_on_the_cpu() -> None:
    sound = np.stack([each[0] for each in sounds(RATE * 5, RATE) if each.size == RATE * 5])[:, None]
    pieces = np.random.default_rng(5).standard_normal((3, 200, 40)).astype(np.float32)

    require_alike(TONES / "tones.segmentation.onnx", [sound], "none")
    require_alike(TONES / "tones.embedding.onnx", [pieces], "none")

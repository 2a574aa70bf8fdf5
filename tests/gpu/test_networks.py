"""Each network answers on the GPU as on the CPU, within the bounds of the proof at staging."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Final

import numpy as np
import onnx
import onnxruntime as ort
import pytest

from containers.background_remover.saliency import SaliencySpec
from containers.model_downloader.optimisation.order import Activation
from containers.model_downloader.optimisation.pictures import Tensor, inputs
from containers.model_downloader.optimisation.proof import compared, published_answers
from containers.model_downloader.optimisation.sounds import sounds
from pipeline.declared.catalogue import load_catalogue
from pipeline.declared.models import ModelRow
from pipeline.hardware import memory_mb
from pipeline.weights.onnx_session import open_session, runtime_of
from pipeline.weights.processor import CUDA
from pipeline.weights.staged import StagedWeights
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
STARTER: Final = ROOT / "containers" / "background_remover" / "starter" / "starter.onnx"
TONES: Final = ROOT / "containers" / "diarizer" / "tones"


def require_alike(
    published: Path, drawn: list[Tensor], activation: Activation, *, loaded: Path | None = None
) -> None:
    """Run the published network on the CPU and what is `loaded` on the GPU; compare as staging."""
    cpu = published_answers(published, drawn, memory_mb=memory_mb() // 2)
    on_gpu = open_session(ort, loaded or published, memory="returned", threads=2, optimised=False)
    assert CUDA in on_gpu.get_providers()
    name, target = on_gpu.get_inputs()[0].name, on_gpu.get_outputs()[0].name
    gpu = [on_gpu.run([target], {name: each})[0] for each in drawn]

    proof = compared(cpu, gpu, precision="float32", activation=activation)

    assert proof.holds("float32"), proof


def files_of(row: ModelRow, beside: Path) -> tuple[Path, Path]:
    """Return the row's published network and what a GPU loads, its files `beside` each other.

    Skips if they are not kept here.
    """
    folder = kept(row.name)
    record = StagedWeights.parse((folder / "manifest.json").read_bytes(), uri="manifest.json")
    best = record.files[0].best(row.files[0].digest, runtime_of(ort))
    published = folder / row.files[0].name
    if best is None:
        return published, published
    for file in best.files:
        shutil.copy(folder.joinpath(*file.artifact.uri.split("/")[-2:]), beside)
    return published, beside / best.files[0].name


def pictures(side: int) -> list[Tensor]:
    drawn = inputs((1, 3, side, side))
    assert drawn
    return [each.astype(np.float32) for each in drawn]


@pytest.mark.parametrize("row", SALIENCY, ids=lambda row: row.name)
def test_a_mask_is_the_cpu_s(row: ModelRow, tmp_path: Path) -> None:
    spec, (published, loaded) = row.spec(SaliencySpec), files_of(row, tmp_path)

    require_alike(published, pictures(spec.input_size), spec.activation, loaded=loaded)


@pytest.mark.parametrize("row", LISTENERS, ids=lambda row: row.name)
def test_characters_are_the_cpu_s(row: ModelRow, tmp_path: Path) -> None:
    published, loaded = files_of(row, tmp_path)

    require_alike(published, sounds(RATE * 5, RATE), "softmax", loaded=loaded)


def test_the_starter_s_mask_is_the_cpu_s() -> None:
    spec = CATALOGUE.row("starter").spec(SaliencySpec)

    require_alike(STARTER, pictures(spec.input_size), spec.activation)


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

"""The network, a step of training and the export; only where torch is installed."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("torch", reason="torch is in the `training` group only")

import torch

from containers.background_remover.starter import training
from containers.background_remover.starter.export import export
from containers.background_remover.starter.network import INPUT_SIZE, Starter
from tests.containers.background_remover.starter.shelves import write_sets


def test_the_network_answers_at_the_size_it_is_asked() -> None:
    fine, coarse = Starter().eval()(torch.zeros(1, 3, 64, 96))

    assert fine.shape == (1, 1, 64, 96)
    assert coarse.shape == (1, 1, 4, 6)


def test_the_loss_is_least_for_the_truth() -> None:
    mask = torch.zeros(1, 1, 64, 64)
    mask[..., 16:48, 16:48] = 1
    right, wrong = (mask - 0.5) * 40, (0.5 - mask) * 40
    small = torch.nn.functional.avg_pool2d(right, 16)

    assert float(training.disagreement(right, small, mask)) < 0.1
    assert float(training.disagreement(wrong, -small, mask)) > 5


def test_the_rate_rises_and_falls() -> None:
    rates = [training.learning_rate(step, 1000) for step in (0, 299, 650, 999)]

    assert rates[0] < rates[2] < rates[1]
    assert rates[3] < rates[1] / 100


@pytest.mark.filterwarnings("ignore")
def test_a_stopped_run_goes_on_and_its_export_is_a_network(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_sets(tmp_path / "data", [f"picture{number}" for number in range(8)])
    phase = training.Phase(2, 2, 64)
    monkeypatch.setattr(training, "PHASES", (phase,))
    training.train(tmp_path / "data", tmp_path / "out", workers=0)
    monkeypatch.setattr(training, "PHASES", (replace(phase, steps=3),))

    checkpoint = training.train(tmp_path / "data", tmp_path / "out", workers=0)

    assert torch.load(checkpoint, weights_only=True)["step"] == 3
    export(checkpoint, tmp_path / "starter.onnx")
    import onnxruntime as ort

    session = ort.InferenceSession(tmp_path / "starter.onnx", providers=["CPUExecutionProvider"])
    photo = np.zeros((1, 3, INPUT_SIZE, INPUT_SIZE), np.float32)
    (logits,) = session.run(None, {"photo": photo})
    assert logits.shape == (1, 1, INPUT_SIZE, INPUT_SIZE)

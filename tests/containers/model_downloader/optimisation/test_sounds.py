"""A network that listens is compared on drawn sounds, and optimised where its answers stay."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import numpy_helper

from containers.model_downloader.optimisation import passes
from containers.model_downloader.optimisation.graph import Graph, Node, require
from containers.model_downloader.optimisation.lean import make_lean
from containers.model_downloader.optimisation.order import Lean, Order
from containers.model_downloader.optimisation.proof import compared
from containers.model_downloader.optimisation.rewriting import Replacement
from containers.model_downloader.optimisation.sounds import sounds
from pipeline.weights.staged import Precision
from tests.bench.standins.wav2vec2 import Listener, wav2vec2

RATE = 16_000
SMALL = Listener(channels=64, width=128, depth=2, heads=2, near=16, groups=4, peaks=30)


def lean(folder: Path, model: onnx.ModelProto, *, sound_hz: int | None = RATE) -> Lean:
    onnx.save(model, folder / "published.onnx")
    order = Order(
        network=folder / "published.onnx", folder=folder, shape=(1, RATE), activation="softmax",
        sound_hz=sound_hz, outputs=1, quantise=True, memory_mb=4096,
    )  # fmt: skip
    return make_lean(order)


def deaf_in_8_bits() -> onnx.ModelProto:
    """One channel is a thousand times as loud as the others, and no character reads it."""
    model = wav2vec2(SMALL)
    tensors = {tensor.name: tensor for tensor in model.graph.initializer}
    for name, value in (("encoder.1.norm2.bias", 3000.0), ("characters.weight", 0.0)):
        weights = numpy_helper.to_array(tensors[name]).copy()
        weights[0] = value
        tensors[name].CopyFrom(numpy_helper.from_array(weights, name))
    return model


def test_the_sounds_are_the_same_in_every_run_and_as_loud_as_a_listener_gets_them() -> None:
    first, again = sounds(RATE, RATE), sounds(RATE, RATE)

    assert len(first) == 5
    for sound, same in zip(first, again, strict=True):
        np.testing.assert_array_equal(sound, same)
        assert sound.dtype == np.float32
        assert sound.shape[0] == 1
        assert sound.mean() == pytest.approx(0, abs=1e-4)
        assert sound.std() == pytest.approx(1, abs=1e-3)


def test_the_sounds_differ_in_length() -> None:
    assert len({sound.shape for sound in sounds(RATE, RATE)}) == 2


def test_no_sound_is_like_another() -> None:
    loud = [sound[0, : RATE // 2] for sound in sounds(RATE, RATE)[:3]]

    assert np.abs(np.corrcoef(loud) - np.eye(3)).max() < 0.2


def test_8_bits_are_best_where_the_characters_stay(tmp_path: Path) -> None:
    made = lean(tmp_path, wav2vec2(SMALL))

    assert (made.refused, made.not_quantised) == (None, None)
    assert [each.precision for each in made.networks] == ["int8-matmul", "int8-matmul", "float32"]
    assert [each.any_cpu for each in made.networks] == [False, True, False]
    for each in made.networks[:2]:
        assert each.rewrites["int8"] == 1 + 2 * 6 + 1
        assert 0 < each.proof.mask_error < 0.1
        assert each.proof.steps == 4 * 49 + 33
    assert made.networks[2].proof.mask_error < 1e-6


def test_8_bits_that_change_the_characters_are_refused_and_32_serve(tmp_path: Path) -> None:
    made = lean(tmp_path, deaf_in_8_bits())

    assert [each.precision for each in made.networks] == ["float32"]
    assert made.not_quantised is not None
    assert "answers differ" in made.not_quantised


def test_a_rewrite_that_changes_the_characters_is_not_let_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def bent(_graph: Graph, node: Node) -> Replacement:
        require(node.op == "Erf", "not an error function")
        return Replacement((Node.make("Tanh", node.inputs, node.outputs[0]),))

    monkeypatch.setattr(passes, "LINEAR", {"wrong": bent})

    made = lean(tmp_path, wav2vec2(SMALL))

    assert made.networks == ()
    assert made.refused is not None
    assert made.refused.startswith("its results differ from the published network's")


def test_a_network_whose_engine_declares_no_sound_is_left_as_it_is(tmp_path: Path) -> None:
    made = lean(tmp_path, wav2vec2(SMALL), sound_hz=None)

    assert made.refused == "its input is neither image nor sound, so results cannot be compared"


@pytest.mark.parametrize(
    ("precision", "moved", "holds"),
    [
        ("float32", 0.5e-4, True),
        ("float32", 2e-4, False),
        ("int8-matmul", 0.09, True),
        ("int8-matmul", 0.11, False),
    ],
)
def test_so_much_of_a_steps_probability_may_go_to_other_characters(
    precision: Precision, moved: float, *, holds: bool
) -> None:
    plain, other = (
        np.log(np.tile(np.array([share, 1 - share], np.float32), (1, 50, 1)))
        for share in (0.8, 0.8 - moved)
    )

    proof = compared([plain], [other], precision=precision, activation="softmax")

    assert proof.mask_error == pytest.approx(moved, rel=1e-2)
    assert proof.steps == 50
    assert proof.holds(precision) is holds


@pytest.mark.parametrize(("changed", "holds"), [(5, True), (6, False)])
def test_so_many_steps_may_have_another_likeliest_character(changed: int, *, holds: bool) -> None:
    plain = np.zeros((1, 100, 4), np.float32)
    plain[..., 1] = 0.1
    other = plain.copy()
    other[0, :changed, 2] = 0.2

    proof = compared([plain], [other], precision="int8-matmul", activation="softmax")

    assert proof.steps_changed == changed
    assert proof.holds("int8-matmul") is holds


def test_a_step_that_answers_no_number_proves_nothing() -> None:
    plain = np.zeros((1, 100, 4), np.float32)
    other = plain.copy()
    other[0, 7, 2] = math.nan

    assert not compared([plain], [other], precision="int8-matmul", activation="softmax").holds(
        "int8-matmul"
    )

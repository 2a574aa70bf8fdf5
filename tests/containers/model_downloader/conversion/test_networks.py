"""A converted network answers as the published architecture does, and another one is refused."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, get_args

import numpy as np
import onnxruntime as ort
import pytest

from containers.model_downloader.conversion.converters import CONVERTERS, convert
from pipeline.declared.models import ConverterName
from pipeline.errors import WeightsMismatch
from tests import checkpoints
from tests.checkpoints import (
    BANDS,
    Tensors,
    contents,
    dict_of,
    ge2e_file,
    legacy,
    number,
    pyannet_file,
    pyannet_value,
    state,
    zipped,
)
from tests.containers.model_downloader.conversion import reference


def session(folder: Path, content: bytes, name: ConverterName) -> ort.InferenceSession:
    path = folder / "published.pt"
    path.write_bytes(content)
    return ort.InferenceSession(convert(path, name).path)


def shapes(values: list[Any]) -> list[Any]:
    return [(value.name, value.shape, value.type) for value in values]


@pytest.mark.parametrize("samples", [3000, 4321])
def test_pyannet_answers_as_published(tmp_path: Path, samples: int) -> None:
    network = session(tmp_path, pyannet_file(seed=3), "pyannet")
    sounds = np.random.default_rng(1).standard_normal((2, 1, samples)).astype(np.float32)

    (found,) = network.run(None, {"sound": sounds})

    expected = [reference.pyannet(checkpoints.pyannet(seed=3), each[0]) for each in sounds]
    np.testing.assert_allclose(found, np.array(expected), atol=1e-5)
    assert np.ptp(found, axis=1).max() > 0.2  # over time, so that all layers have a say
    assert shapes(network.get_inputs()) == [("sound", ["batch", 1, "samples"], "tensor(float)")]
    assert shapes(network.get_outputs()) == [
        ("probabilities", ["batch", "frames", 3], "tensor(float)")
    ]


def test_the_stride_and_the_rate_of_the_filters_are_the_checkpoints(tmp_path: Path) -> None:
    tensors = checkpoints.pyannet()
    value = pyannet_value(tensors, stride=7, rate=12_000)
    network = session(tmp_path, zipped(value, contents(tensors)), "pyannet")
    sound = np.random.default_rng(1).standard_normal((1, 1, 800)).astype(np.float32)

    (found,) = network.run(None, {"sound": sound})

    expected = reference.pyannet(tensors, sound[0, 0], stride=7, rate=12_000)
    np.testing.assert_allclose(found[0], expected, atol=1e-5)


@pytest.mark.parametrize("frames", [1, 23])
def test_the_speaker_encoder_answers_as_published(tmp_path: Path, frames: int) -> None:
    network = session(tmp_path, ge2e_file(seed=4), "ge2e")
    features = np.random.default_rng(2).random((3, frames, BANDS)).astype(np.float32)

    (found,) = network.run(None, {"features": features})

    expected = [reference.ge2e(checkpoints.ge2e(seed=4), each) for each in features]
    np.testing.assert_allclose(found, np.array(expected), atol=1e-5)
    np.testing.assert_allclose(np.linalg.norm(found, axis=1), 1, atol=1e-6)
    assert shapes(network.get_inputs()) == [
        ("features", ["batch", "frames", BANDS], "tensor(float)")
    ]
    assert shapes(network.get_outputs()) == [("embedding", ["batch", 7], "tensor(float)")]


def test_an_embedding_of_nothing_is_zeros(tmp_path: Path) -> None:
    tensors = checkpoints.ge2e()
    tensors["linear.weight"][:] = 0
    tensors["linear.bias"][:] = -1
    value = dict_of({"model_state": state(tensors)})
    network = session(tmp_path, zipped(value, contents(tensors)), "ge2e")

    (found,) = network.run(None, {"features": np.ones((1, 4, BANDS), np.float32)})

    assert not found.any()


@pytest.mark.parametrize("kind", ["f8", "f2"])
def test_weights_of_other_precisions_become_float32(tmp_path: Path, kind: str) -> None:
    tensors = {key: each.astype(kind) for key, each in checkpoints.ge2e().items()}
    value = dict_of({"model_state": state(tensors)})
    network = session(tmp_path, zipped(value, contents(tensors)), "ge2e")
    features = np.random.default_rng(2).random((1, 9, BANDS)).astype(np.float32)

    (found,) = network.run(None, {"features": features})

    np.testing.assert_allclose(found[0], reference.ge2e(tensors, features[0]), atol=1e-5)


def test_the_same_checkpoint_becomes_the_same_bytes(tmp_path: Path) -> None:
    path = tmp_path / "published.pt"
    path.write_bytes(pyannet_file())
    first = convert(path, "pyannet").path.read_bytes()

    assert convert(path, "pyannet").path.read_bytes() == first


def test_there_is_a_converter_for_each_name_that_rows_may_state() -> None:
    assert set(CONVERTERS) == set(get_args(ConverterName))


def without(name: str) -> Callable[[Tensors], object]:
    return lambda tensors: tensors.pop(name)


def changed(name: str, value: object) -> Callable[[Tensors], object]:
    return lambda tensors: tensors.update({name: np.asarray(value, np.float32)})


@pytest.mark.parametrize(
    ("change", "wrong"),
    [
        (without("classifier.bias"), "no tensor classifier.bias"),
        (without("sincnet.wav_norm1d.bias"), "no tensor sincnet.wav_norm1d.bias"),
        (without("lstm.bias_hh_l1_reverse"), "no tensor lstm.bias_hh_l1_reverse"),
        (without("lstm.weight_ih_l0"), "has no LSTM"),
        (changed("lstm.weight_hr_l0", np.ones((2, 2))), "lacks: lstm.weight_hr_l0"),
        (changed("linear.3.weight", np.ones((2, 2))), "lacks: linear.3.weight"),
        (changed("classifier.weight", np.ones((3, 4))), r"float32\[3, 4\], not any×5"),
        (changed("classifier.weight", np.ones((0, 5))), r"float32\[0, 5\], not any×5"),
        (changed("classifier.bias", [1, 2, np.nan]), "not finite"),
        (changed("classifier.bias", [1, 2, np.inf]), "not finite"),
        (changed("lstm.weight_ih_l0", np.ones((16, 3))), "not 16×4"),
        (changed("sincnet.conv1d.0.filterbank.n_", np.zeros((1, 4))), "is 0 somewhere"),
        (
            changed("sincnet.conv1d.0.filterbank.low_hz_", [[9000], [1], [1]]),
            "lets nothing through",
        ),
    ],
)
def test_a_checkpoint_of_another_shape_is_refused(
    tmp_path: Path, change: Callable[[Tensors], object], wrong: str
) -> None:
    tensors = checkpoints.pyannet()
    change(tensors)

    with pytest.raises(WeightsMismatch, match=wrong):
        session(tmp_path, zipped(pyannet_value(tensors), contents(tensors)), "pyannet")


def test_weights_that_are_whole_numbers_are_refused(tmp_path: Path) -> None:
    tensors = checkpoints.pyannet()
    tensors["classifier.bias"] = np.array([1, 2, 3])

    with pytest.raises(WeightsMismatch, match=r"int64\[3\]"):
        session(tmp_path, zipped(pyannet_value(tensors), contents(tensors)), "pyannet")


@pytest.mark.parametrize(("stride", "rate"), [(0, 16_000), (-1, 16_000), (10_000, 16_000), (10, 0)])
def test_a_stride_or_rate_that_nobody_trains_with_is_refused(
    tmp_path: Path, stride: int, rate: int
) -> None:
    tensors = checkpoints.pyannet()
    value = pyannet_value(tensors, stride=stride, rate=rate)

    with pytest.raises(WeightsMismatch, match=f"the stride {stride} at {rate} Hz"):
        session(tmp_path, zipped(value, contents(tensors)), "pyannet")


def test_an_encoder_that_runs_backwards_too_is_refused(tmp_path: Path) -> None:
    tensors = checkpoints.ge2e()
    tensors["lstm.weight_ih_l0_reverse"] = tensors["lstm.weight_ih_l0"]
    value = dict_of({"model_state": state(tensors, legacy=True)})

    with pytest.raises(WeightsMismatch, match="no LSTM that runs forwards"):
        session(tmp_path, legacy(value, contents(tensors)), "ge2e")


def test_the_checkpoint_of_another_network_is_refused(tmp_path: Path) -> None:
    with pytest.raises(WeightsMismatch, match=r"published.pt cannot be converted .* its model"):
        session(tmp_path, pyannet_file(), "ge2e")
    with pytest.raises(WeightsMismatch, match=r"its hyper_parameters\.sincnet\.stride is not"):
        session(
            tmp_path,
            zipped(dict_of({"state_dict": state({}), "x": number(1)})),
            "pyannet",
        )

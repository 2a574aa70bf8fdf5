"""Windows of a signal that arrives in pieces, and YAMNet's spectrogram of one."""

from __future__ import annotations

import numpy as np
import pytest

from containers.audio_tagger.labels import SILENCE, names_of
from containers.audio_tagger.log_mel import LogMel, mel_filters
from containers.audio_tagger.spec import LogMelSpec, Signal, TaggerSpec
from containers.audio_tagger.windowing import Windower
from tests.models import SHIPPED

YAMNET = LogMelSpec.model_validate(
    {
        "rate": 16_000, "window": 15_600, "hop": 7680, "vocabulary": "yamnet", "labels": 521,
        "speech": 0, "music": 132, "onset": 0.4, "offset": 0.25, "gap_s": 1, "least_s": 0.9,
        "frames": 96, "frame": 400, "step": 160, "fft": 512, "bands": 64, "lowest_hz": 125,
        "highest_hz": 7500, "log_offset": 0.001,
    }
)  # fmt: skip


def windows(signal: Signal, piece: int) -> list[list[float]]:
    windower = Windower(window=10, hop=4)
    pieces = [signal[at : at + piece] for at in range(0, len(signal), piece)]
    found = [window.tolist() for each in pieces for window in windower.push(each)]
    return [*found, *(window.tolist() for window in windower.finish())]


@pytest.mark.parametrize("count", [0, 1, 9, 10, 11, 13, 14, 15, 40])
def test_every_sample_is_in_a_window_and_the_last_is_padded(count: int) -> None:
    signal = np.arange(1, count + 1, dtype=np.float32)
    expected = -(-max(0, count - 10) // 4) + 1 if count else 0
    padded = np.pad(signal, (0, 100))

    found = windows(signal, 7)

    assert found == [padded[4 * place : 4 * place + 10].tolist() for place in range(expected)]


@pytest.mark.parametrize("piece", [1, 3, 10, 33])
def test_pieces_make_no_difference(piece: int) -> None:
    signal = np.arange(1, 34, dtype=np.float32)

    assert windows(signal, piece) == windows(signal, 100)


def test_a_spectrogram_has_yamnets_frames_and_bands() -> None:
    """A tone of size 1 adds half of the Hann window's sum, 100, to the bins around it."""
    tone = np.sin(2 * np.pi * 1000 * np.arange(15_600) / 16_000).astype(np.float32)

    bands = LogMel(YAMNET).of(tone)

    assert bands.shape == (96, 64)
    assert bands.dtype == np.float32
    loudest = int(bands[0].argmax())
    edges = 700 * np.expm1(
        np.linspace(1127 * np.log1p(125 / 700), 1127 * np.log1p(7500 / 700), 66) / 1127
    )
    assert edges[loudest] < 1000 < edges[loudest + 2]
    assert np.exp(bands[0, loudest]) == pytest.approx(100, rel=0.6)


def test_silence_has_the_logarithm_of_the_offset() -> None:
    bands = LogMel(YAMNET).of(np.zeros(15_600, np.float32))

    np.testing.assert_allclose(bands, np.log(0.001), rtol=1e-6)


def test_filters_are_triangles_whose_sum_is_flat_between_the_outer_bands() -> None:
    weights = mel_filters(YAMNET)

    assert weights.shape == (257, 64)
    assert weights.min() >= 0
    assert weights.max() <= 1
    assert not weights[0].any()
    frequencies = np.arange(257) * 16_000 / 512
    inner = (frequencies > 200) & (frequencies < 7000)
    np.testing.assert_allclose(weights[inner].sum(axis=1), 1, atol=1e-5)
    assert not weights[frequencies > 7500].any()


@pytest.mark.parametrize(("vocabulary", "count"), [("audioset", 527), ("yamnet", 521)])
def test_vocabularies_have_each_label_once(vocabulary: str, count: int) -> None:
    names = names_of(vocabulary)

    assert len(set(names)) == len(names) == count
    assert SILENCE in names


@pytest.mark.parametrize(
    "name", [row.name for row in SHIPPED.rows if row.container == "audio-tagger"]
)
def test_rows_know_their_labels(name: str) -> None:
    spec = SHIPPED.row(name).spec(TaggerSpec)

    names = names_of(spec.vocabulary)
    assert (len(names), names[spec.speech], names[spec.music]) == (spec.labels, "Speech", "Music")

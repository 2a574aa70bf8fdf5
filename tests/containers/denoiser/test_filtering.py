"""Each low bin is filtered over five frames, two of them later; other bins only get gains."""

from __future__ import annotations

import numpy as np
import pytest

from containers.denoiser.features import band_widths
from containers.denoiser.filtering import DeepFilter
from containers.denoiser.spec import Spectrum
from tests.containers.denoiser.conftest import SPEC


def complex_noise(*shape: int, seed: int) -> Spectrum:
    dice = np.random.default_rng(seed)
    both = dice.standard_normal((2, *shape)).astype(np.float32)
    drawn: Spectrum = (both[0] + 1j * both[1]).astype(np.complex64)
    return drawn


@pytest.mark.parametrize("piece", [1, 3, 20])
def test_a_frame_is_filtered_with_those_around_it(piece: int) -> None:
    count = 20
    spectra = complex_noise(count, SPEC.bins, seed=1)
    gains = np.random.default_rng(2).random((count, 32), dtype=np.float32)
    filters = complex_noise(count, 96, 5, seed=3)
    deep = DeepFilter(SPEC)

    found = np.concatenate(
        [
            deep.push(spectra[at : at + piece], gains[at : at + piece], filters[at : at + piece])
            for at in range(0, count, piece)
        ]
    )

    silence = np.zeros((2, SPEC.bins))
    for step in range(4, count):
        answered = step - SPEC.lookahead
        around = np.concatenate([silence, spectra])[answered : answered + 5]
        low = (around[:, :96] * filters[step].T).sum(axis=0)
        np.testing.assert_allclose(found[step, :96], low, atol=1e-4)
        wide = np.repeat(gains[step], band_widths(SPEC))
        np.testing.assert_allclose(found[step, 96:], (spectra[answered] * wide)[96:], atol=1e-5)
    np.testing.assert_array_equal(found[:2, 96:], 0)

"""Spectra of a signal give the signal back, whatever the pieces that it arrives in."""

from __future__ import annotations

import numpy as np
import pytest

from containers.denoiser.spectrum import Analysis, Synthesis, vorbis_window
from tests.containers.denoiser.conftest import SPEC
from tests.containers.denoiser.signals import noise


def test_analysis_and_synthesis_return_the_signal_one_overlap_later() -> None:
    signal = noise(0.5)[:, 0]

    back = Synthesis(SPEC).push(Analysis(SPEC).push(signal))

    late = SPEC.window - SPEC.hop
    np.testing.assert_allclose(back[late:], signal[:-late], atol=1e-6)
    np.testing.assert_allclose(back[:late], 0, atol=1e-6)


@pytest.mark.parametrize("frames", [1, 7])
def test_pieces_give_what_the_whole_gives(frames: int) -> None:
    signal, step = noise(0.49)[:, 0], frames * SPEC.hop
    analysis, synthesis = Analysis(SPEC), Synthesis(SPEC)

    spectra = [analysis.push(signal[at : at + step]) for at in range(0, len(signal), step)]

    whole = Analysis(SPEC).push(signal)
    np.testing.assert_array_equal(np.concatenate(spectra), whole)
    back = np.concatenate([synthesis.push(each) for each in spectra])
    np.testing.assert_allclose(back, Synthesis(SPEC).push(whole), atol=1e-7)


def test_half_overlapping_windows_have_a_constant_sum_of_squares() -> None:
    squares = vorbis_window(SPEC.window) ** 2

    np.testing.assert_allclose(squares[: SPEC.hop] + squares[SPEC.hop :], 1, atol=1e-6)


def test_a_tone_of_full_scale_has_half_of_the_windows_mean() -> None:
    tone = np.sin(2 * np.pi * 1000 * np.arange(4800) / 48000).astype(np.float32)

    level = np.abs(Analysis(SPEC).push(tone)[5, 20])
    assert level == pytest.approx(vorbis_window(SPEC.window).mean() / 2, abs=1e-4)

"""A channel comes out as long as it went in, not late, and whatever the pieces."""

from __future__ import annotations

import numpy as np
import pytest

from containers.denoiser.channel import Channel
from containers.denoiser.network import Networks
from containers.denoiser.spec import Signal
from tests.containers.denoiser.conftest import SPEC
from tests.containers.denoiser.signals import lag, noise


def denoised(networks: Networks, signal: Signal, *pieces: int) -> Signal:
    channel, start, parts = Channel(networks, SPEC), 0, []
    for length in pieces:
        parts.append(channel.push(signal[start : start + length]))
        start += length
    parts += [channel.push(signal[start:]), channel.finish()]
    return np.concatenate(parts)


@pytest.mark.parametrize("pieces", [(1, 479, 480, 481), (96_000,), (30_001, 5, 0, 44_100)])
def test_pieces_of_any_length_give_the_same_signal(
    networks: Networks, pieces: tuple[int, ...]
) -> None:
    signal = noise(2.5)[:, 0]

    whole = denoised(networks, signal)

    np.testing.assert_allclose(denoised(networks, signal, *pieces), whole, atol=1e-6)
    assert np.abs(whole - signal).max() > 0.05


@pytest.mark.parametrize("count", [0, 1, 479, 480, 481, 1440, 50_000])
def test_a_signal_keeps_its_length(networks: Networks, count: int) -> None:
    found = denoised(networks, noise(2)[:count, 0])

    assert found.shape == (count,)
    assert np.isfinite(found).all()


def test_networks_that_let_everything_pass_return_the_signal_sample_by_sample(
    passing: Networks,
) -> None:
    signal = noise(1.01)[:, 0]

    found = denoised(passing, signal, 7000)

    np.testing.assert_allclose(found, signal, atol=2e-6)
    assert lag(found[:, None], signal[:, None]) == 0


def test_silence_stays_silence(networks: Networks) -> None:
    channel = Channel(networks, SPEC)

    found = np.concatenate([channel.push(np.zeros(48_000, np.float32)), channel.finish()])

    np.testing.assert_array_equal(found, 0)
    assert -15 <= channel.local_snr_db <= 35


def test_samples_that_are_no_numbers_count_as_silence_and_spoil_nothing_later(
    networks: Networks,
) -> None:
    signal = noise(1)[:, 0]
    damaged, silent = signal.copy(), signal.copy()
    damaged[[5000, 5001, 5002]] = [np.nan, np.inf, -np.inf]
    silent[[5000, 5001, 5002]] = 0

    np.testing.assert_array_equal(denoised(networks, damaged), denoised(networks, silent))


def test_the_ratio_is_the_mean_over_the_signals_own_frames(networks: Networks) -> None:
    signal = noise(0.5)[:, 0]
    at_once, in_pieces = Channel(networks, SPEC), Channel(networks, SPEC)
    at_once.push(signal)
    at_once.finish()
    for at in range(0, len(signal), 480):
        in_pieces.push(signal[at : at + 480])
    in_pieces.finish()

    assert in_pieces.local_snr_db == pytest.approx(at_once.local_snr_db, abs=1e-4)
    assert -15 < at_once.local_snr_db < 35

"""Recordings of any rate and any channels come out as they went in, only without noise."""

from __future__ import annotations

import numpy as np
import pytest

from containers.denoiser.network import Networks
from containers.denoiser.recording import Denoiser, Resampled
from pipeline.audio.samples import Samples
from tests.containers.denoiser.conftest import SPEC
from tests.containers.denoiser.signals import lag, noise


def denoised(
    networks: Networks, recorded: Samples, *, rate: int = 48_000, attenuation_db: float = 100
) -> Samples:
    frames, channels = recorded.shape
    denoiser = Denoiser(networks, SPEC, rate=rate, channels=channels, attenuation_db=attenuation_db)
    back = Resampled(from_rate=SPEC.rate, to_rate=rate, channels=channels, frames=frames)
    parts = [back.push(denoiser.push(recorded[at : at + 3001])) for at in range(0, frames, 3001)]
    return np.concatenate([*parts, back.push(denoiser.finish()), back.finish()])


@pytest.mark.parametrize("rate", [4000, 8000, 11_025, 16_000, 44_100, 48_000, 96_000, 192_000])
def test_a_recording_of_any_rate_keeps_its_length_and_its_place(
    passing: Networks, rate: int
) -> None:
    recorded = noise(0.7001, rate=rate)

    found = denoised(passing, recorded, rate=rate)

    assert found.shape == recorded.shape
    assert lag(found, recorded) == 0
    middle = slice(len(found) // 10, -len(found) // 10)
    np.testing.assert_allclose(found[middle], recorded[middle], atol=2e-3)


def test_each_channel_is_denoised_as_if_it_were_alone(networks: Networks) -> None:
    recorded = noise(1, channels=3)

    together = denoised(networks, recorded)

    for place in range(3):
        alone = denoised(networks, recorded[:, place : place + 1])
        np.testing.assert_array_equal(together[:, place : place + 1], alone)


def test_channels_stay_together(passing: Networks) -> None:
    recorded = noise(0.5, rate=44_100, channels=2)

    found = denoised(passing, recorded, rate=44_100)

    assert [lag(found[:, :1], recorded[:, :1]), lag(found[:, 1:], recorded[:, 1:])] == [0, 0]


@pytest.mark.parametrize(("attenuation_db", "kept"), [(100, 0), (20, 0.1), (6, 0.5012), (0, 1)])
def test_an_attenuation_keeps_a_share_of_the_recording(
    networks: Networks, attenuation_db: float, kept: float
) -> None:
    recorded = noise(0.6, channels=2)
    recorded[100] = np.nan
    without = denoised(networks, recorded)
    clean = np.nan_to_num(recorded)

    found = denoised(networks, recorded, attenuation_db=attenuation_db)

    np.testing.assert_allclose(found, without + kept * (clean - without), atol=1e-5)


def test_a_sample_too_few_is_silence_and_one_too_many_is_cut() -> None:
    samples = np.ones((10, 1), np.float32)
    short, long = (
        Resampled(from_rate=48_000, to_rate=48_000, channels=1, frames=frames) for frames in (9, 12)
    )

    assert len(short.push(samples)) + len(short.finish()) == 9
    np.testing.assert_array_equal(
        np.concatenate([long.push(samples), long.finish()])[:, 0], [1] * 10 + [0] * 2
    )

"""Resampling in blocks is resampling as a whole: nothing is delayed, no channel leaks."""

from __future__ import annotations

import numpy as np
import pytest

from pipeline.audio.resampling import Resampler, resampled
from pipeline.audio.samples import Samples
from pipeline.errors import UnsupportedMedia

RATES = [(8_000, 16_000), (44_100, 16_000), (48_000, 16_000), (96_000, 16_000), (16_000, 48_000)]


def voices(rate: int, seconds: float, channels: int = 1) -> Samples:
    """Noise below 1.5 kHz, different in each channel: it has one sharp peak of correlation."""
    count = int(rate * seconds)
    spectrum = np.fft.rfft(np.random.default_rng(3).standard_normal((count, channels)), axis=0)
    spectrum[int(1_500 * seconds) :] = 0
    wave = np.fft.irfft(spectrum, count, axis=0)
    return np.asarray(wave / np.abs(wave).max(), np.float32)


def in_blocks(samples: Samples, block: int, *, from_rate: int, to_rate: int) -> Samples:
    stream = Resampler(from_rate=from_rate, to_rate=to_rate, channels=samples.shape[1])
    parts = [stream.push(samples[at : at + block]) for at in range(0, len(samples), block)]
    return np.concatenate([*parts, stream.finish()])


@pytest.mark.parametrize(("from_rate", "to_rate"), RATES)
@pytest.mark.parametrize("block", [1, 997, 50_000])
def test_blocks_make_no_difference(from_rate: int, to_rate: int, block: int) -> None:
    samples = voices(from_rate, 0.5)

    whole = resampled(samples, from_rate=from_rate, to_rate=to_rate)
    parts = in_blocks(samples, block, from_rate=from_rate, to_rate=to_rate)

    assert abs(len(whole) - len(samples) * to_rate / from_rate) < 1
    assert np.array_equal(parts, whole)


@pytest.mark.parametrize(("from_rate", "to_rate"), RATES)
def test_nothing_is_delayed(from_rate: int, to_rate: int) -> None:
    there = in_blocks(voices(from_rate, 2), 1_000, from_rate=from_rate, to_rate=to_rate)[:, 0]
    back = resampled(there[:, None], from_rate=to_rate, to_rate=from_rate)[:, 0]
    own = voices(from_rate, 2)[: len(back), 0]

    spectrum = np.fft.rfft(own) * np.conj(np.fft.rfft(back))
    assert np.argmax(np.fft.irfft(spectrum, len(own))) == 0
    assert np.abs(own - back)[2_000:-2_000].max() < 1e-3


def test_a_click_stays_at_its_time() -> None:
    click = np.zeros((96_000, 1), np.float32)
    click[48_000] = 1

    after = in_blocks(click, 1_000, from_rate=48_000, to_rate=16_000)

    assert np.argmax(after) == 16_000


def test_channels_do_not_leak_into_each_other() -> None:
    samples = voices(48_000, 1, channels=3)
    samples[:, 1] = 0

    together = in_blocks(samples, 1_000, from_rate=48_000, to_rate=16_000)

    assert not together[:, 1].any()
    for channel in (0, 2):
        alone = resampled(samples[:, [channel]], from_rate=48_000, to_rate=16_000)
        assert np.array_equal(together[:, [channel]], alone)


def test_the_same_rate_changes_nothing() -> None:
    samples = voices(16_000, 0.1)

    assert np.array_equal(in_blocks(samples, 333, from_rate=16_000, to_rate=16_000), samples)


@pytest.mark.parametrize(
    ("from_rate", "to_rate", "channels"),
    [(1, 16_000, 1), (3_999, 16_000, 1), (192_001, 16_000, 1), (16_000, 1, 1), (16_000, 8_000, 0),
     (16_000, 8_000, 33), (4 * 10**9, 16_000, 1)],
)  # fmt: skip
def test_what_no_recorder_writes_gets_no_resampler(
    from_rate: int, to_rate: int, channels: int
) -> None:
    with pytest.raises(UnsupportedMedia):
        Resampler(from_rate=from_rate, to_rate=to_rate, channels=channels)

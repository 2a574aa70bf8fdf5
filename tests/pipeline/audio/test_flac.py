"""Our own FLAC: samples survive, also through a sink that cannot seek; errors of files surface."""

from __future__ import annotations

import io
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import soundfile

from pipeline.artifacts import LocalStore, Location
from pipeline.audio.flac import FlacReader, FlacWriter, decode_flac, encode_flac
from pipeline.audio.samples import Bits, Samples
from pipeline.errors import StoreUnavailable


def noise(frames: int, channels: int, seed: int = 0) -> Samples:
    drawn = np.random.default_rng(seed).uniform(-0.9, 0.9, (frames, channels))
    return drawn.astype(np.float32)


class Pipe:
    """A place that takes bytes and gives none back."""

    def __init__(self) -> None:
        self.content = b""

    def write(self, content: bytes) -> None:
        self.content += content


@pytest.mark.parametrize("rate", [4_000, 16_000, 44_100, 192_000])
@pytest.mark.parametrize("channels", [1, 2, 8])
@pytest.mark.parametrize(("bits", "error"), [(16, 2**-16), (24, 2**-24)])
def test_samples_survive_within_half_a_step(
    rate: int, channels: int, bits: Bits, error: float
) -> None:
    samples = noise(10_001, channels)

    back, stated = decode_flac(encode_flac(samples, rate=rate, bits=bits))

    assert stated == rate
    assert back.shape == samples.shape
    assert np.abs(back - samples).max() <= error


def test_integers_survive_exactly() -> None:
    samples = np.arange(-32_768, 32_768, dtype=np.int16)[:, None]

    back, _ = decode_flac(encode_flac(samples, rate=16_000))

    assert np.array_equal(back * 32_768, samples)


def test_integers_are_the_same_floats_in_24_bits() -> None:
    samples = np.array([[-32_768], [1], [32_767]], np.int16)

    back, _ = decode_flac(encode_flac(samples, rate=16_000, bits=24))

    assert np.array_equal(back * 32_768, samples)


def test_more_than_full_scale_is_cut() -> None:
    loud = np.array([[3.0], [-3.0], [1.0], [0.5]], np.float32)

    back, _ = decode_flac(encode_flac(loud, rate=16_000))

    assert back[:, 0].tolist() == [32_767 / 32_768, -1.0, 32_767 / 32_768, 0.5]


@pytest.mark.parametrize("promised", [None, 100_000])
def test_a_sink_that_cannot_seek_gets_a_whole_file(promised: int | None) -> None:
    samples, pipe = noise(100_000, 2), Pipe()

    with FlacWriter(pipe, rate=48_000, channels=2, bits=24, frames=promised) as flac:
        for at in range(0, 100_000, 7_000):
            flac.write(samples[at : at + 7_000])

    reader = FlacReader(io.BytesIO(pipe.content))
    back = np.concatenate(list(reader.blocks(3_333)))
    assert reader.frames == promised
    assert (reader.rate, reader.channels, reader.bits) == (48_000, 2, 24)
    assert np.abs(back - samples).max() <= 2**-24


def test_other_readers_know_the_length_that_was_promised() -> None:
    pipe = Pipe()
    with FlacWriter(pipe, rate=16_000, channels=1, frames=2**16) as flac:
        flac.write(noise(2**16, 1))

    assert soundfile.info(io.BytesIO(pipe.content)).frames == 2**16


@pytest.mark.parametrize("written", [0, 99, 101])
def test_another_length_than_promised_is_an_error(written: int) -> None:
    flac = FlacWriter(Pipe(), rate=16_000, channels=1, frames=100)
    flac.write(noise(written, 1))

    with pytest.raises(ValueError, match=f"{written} samples written"):
        flac.close()


def test_a_recording_without_samples_is_no_flac() -> None:
    with pytest.raises(ValueError, match="0 samples written"):
        FlacWriter(Pipe(), rate=16_000, channels=1).close()


class Failing(io.BytesIO):
    """A file, or an upload, whose store stops to answer after `good` calls."""

    def __init__(self, content: bytes = b"", *, good: int) -> None:
        super().__init__(content)
        self.good = good

    def _next(self) -> None:
        self.good -= 1
        if self.good < 0:
            raise StoreUnavailable("S3 did not answer")

    def read(self, count: int | None = -1, /) -> bytes:
        self._next()
        return super().read(count)

    def write(self, content: object, /) -> int:
        self._next()
        return len(bytes(content))  # type: ignore[call-overload]


def read_all(good: int) -> None:
    content = encode_flac(noise(200_000, 1), rate=16_000)
    list(FlacReader(Failing(content, good=good)).blocks())


def write_all(good: int) -> None:
    with FlacWriter(Failing(good=good), rate=16_000, channels=1) as flac:
        for _ in range(5):
            flac.write(noise(20_000, 1))


@pytest.mark.parametrize("use", [read_all, write_all])
@pytest.mark.parametrize("good", [0, 2])
def test_an_error_of_the_store_is_raised_as_it_is(use: Callable[[int], None], good: int) -> None:
    with pytest.raises(StoreUnavailable):
        use(good)


def test_an_upload_of_a_store_is_such_a_sink(tmp_path: Path) -> None:
    store, place = LocalStore(tmp_path), Location("work", "a.flac")
    samples = noise(50_000, 1)

    upload = store.begin(place)
    with FlacWriter(upload, rate=16_000, channels=1) as flac:
        flac.write(samples)
    upload.complete()

    assert np.abs(decode_flac(store.read(place))[0] - samples).max() <= 2**-16


MEASURED = """
import resource, sys
import numpy as np
from pipeline.audio.flac import FlacReader, FlacWriter
block = np.random.default_rng(0).uniform(-.5, .5, (48_000, 2)).astype(np.float32)
with open(sys.argv[2], "wb") as out, FlacWriter(out, rate=48_000, channels=2, bits=24) as flac:
    for _ in range(int(sys.argv[1])):
        flac.write(block)
with open(sys.argv[2], "rb") as file:
    assert sum(map(len, FlacReader(file).blocks())) == 48_000 * int(sys.argv[1])
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
"""


def test_memory_does_not_grow_with_length(tmp_path: Path) -> None:
    def peak_kb(seconds: int) -> int:
        command = [sys.executable, "-c", MEASURED, str(seconds), f"{tmp_path}/long.flac"]
        return int(subprocess.run(command, check=True, capture_output=True, text=True).stdout)

    assert peak_kb(150) < peak_kb(15) + 4_000  # the samples alone are 52 MB more

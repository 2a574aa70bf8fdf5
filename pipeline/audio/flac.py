"""Read and write our own FLAC, block by block, so that memory does not grow with its length.

Untrusted FLAC is a recording like any other: only the audio reader decodes it.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import contextmanager
from types import TracebackType
from typing import Final, Protocol, Self

import numpy as np
import soundfile

from pipeline.audio.samples import Bits, Integers, Samples, as_integers

BLOCK: Final = 65_536  # samples of each channel that are read at once
_SUBTYPES: Final[dict[Bits, str]] = {16: "PCM_16", 24: "PCM_24"}
_UNKNOWN: Final = 2**36  # soundfile reports far more if the header states no total
# STREAMINFO states the number of samples of each channel in 36 bits, the last 4 of byte 21 first
# (RFC 9639, section 8.2). 0 says that it is unknown.
_TOTAL_AT: Final = 21
_HEADER_BYTES: Final = 26


class Out(Protocol):
    """Where FLAC goes: an open file, or an upload of an `ArtifactStore`."""

    def write(self, content: bytes, /) -> object: ...


class File(Protocol):
    """Where FLAC comes from: an open file, `BytesIO`, or ranges of a stored object."""

    def read(self, count: int, /) -> bytes: ...

    def seek(self, offset: int, whence: int = 0, /) -> int: ...

    def tell(self) -> int: ...


class FlacReader:
    """Reads FLAC from its start to its end. `frames` is None if the header does not state it.

    A frame is one sample of each channel.
    """

    def __init__(self, file: File) -> None:
        self._source = _Source(file)
        with self._source.own_errors():
            self._flac = _Forward(self._source)
        self.rate: int = self._flac.samplerate
        self.channels: int = self._flac.channels
        self.bits: Bits = 24 if self._flac.subtype == "PCM_24" else 16
        stated: int = self._flac.frames
        self.frames = stated if stated < _UNKNOWN else None

    def read(self, frames: int) -> Samples:
        """Return the next samples, (n, channels); fewer than `frames` only at the end."""
        with self._source.own_errors():
            block: Samples = self._flac.read(frames, dtype="float32", always_2d=True)
        return block

    def blocks(self, frames: int = BLOCK) -> Iterator[Samples]:
        """Yield all samples that were not read yet, `frames` at a time."""
        while len(block := self.read(frames)):
            yield block


class FlacWriter:
    """Writes FLAC to `out`, which need not be seekable: what was written stays as it is.

    The header has no checksum, and states the total number of samples only if `frames` does, the
    samples of each channel. Leaving a `with` block by an error writes nothing more.
    """

    def __init__(
        self, out: Out, *, rate: int, channels: int, bits: Bits = 16, frames: int | None = None
    ) -> None:
        self._out = out
        self._bits = bits
        self._frames = frames
        self._sink = _Sink()
        self._flac = _Forward(
            self._sink, "w", rate, channels, _SUBTYPES[bits], format="FLAC", closefd=False
        )
        self._headed = False
        self.written = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, _e: BaseException | None, _t: TracebackType | None
    ) -> None:
        if kind is None:
            self.close()

    def write(self, samples: Samples | Integers) -> None:
        """Write samples, (n, channels): float32, of which more than full scale is cut, or int16."""
        if len(samples):
            self._flac.write(as_integers(samples, self._bits))
            self.written += len(samples)
            self._drain()

    def close(self) -> None:
        """Write the rest. Raises ValueError if there are no samples, or not as many as promised."""
        if not self.written or self.written != (self._frames or self.written):
            raise ValueError(f"{self.written} samples written, promised {self._frames or 'some'}")
        self._flac.close()
        self._drain()

    def _drain(self) -> None:
        """Hand over what libsndfile has written, outside its callbacks: they swallow errors."""
        content = self._sink.take(_HEADER_BYTES if not self._headed else 1)
        if not content:
            return
        if not self._headed and self._frames is not None:
            content = _with_total(content, self._frames)
        self._headed = True
        self._out.write(content)


def encode_flac(samples: Samples | Integers, *, rate: int, bits: Bits = 16) -> bytes:
    """Return a whole recording as FLAC."""
    out = io.BytesIO()
    with FlacWriter(
        out, rate=rate, channels=samples.shape[1], bits=bits, frames=len(samples)
    ) as flac:
        flac.write(samples)
    return out.getvalue()


def decode_flac(content: bytes) -> tuple[Samples, int]:
    """Return all samples of our own FLAC, (n, channels), and their rate."""
    reader = FlacReader(io.BytesIO(content))
    return np.concatenate(list(reader.blocks())), reader.rate


class _Forward(soundfile.SoundFile):  # type: ignore[misc] # soundfile has no types
    """A file that is read or written from start to end.

    A seekable `SoundFile` seeks after every block, which fails if the total is unknown.
    """

    def seekable(self) -> bool:
        return False


class _Source:
    """A file for libsndfile, whose callbacks swallow errors: `own_errors` raises them."""

    def __init__(self, file: File) -> None:
        self._file = file
        self._error: Exception | None = None

    @contextmanager
    def own_errors(self) -> Iterator[None]:
        """Raise the file's own error rather than what libsndfile makes of it."""
        try:
            yield
        finally:
            error, self._error = self._error, None
            if error is not None:
                raise error

    def read(self, count: int) -> bytes:
        try:
            return self._file.read(count)
        except Exception as error:  # noqa: BLE001 - raised again by `own_errors`
            self._error = error
            return b""

    def seek(self, offset: int, whence: int = 0) -> int:
        return self._file.seek(offset, whence)

    def tell(self) -> int:
        return self._file.tell()


class _Sink:
    """What libsndfile has written and nobody has taken yet.

    At the end it goes back to complete the header. That is ignored: the header was taken long ago.
    """

    def __init__(self) -> None:
        self._new = bytearray()
        self._end = 0
        self._at = 0

    def write(self, content: bytes) -> int:
        if self._at == self._end:
            self._new += content
            self._end += len(content)
        self._at += len(content)
        return len(content)

    def seek(self, offset: int, whence: int = 0) -> int:
        self._at = offset + {0: 0, 1: self._at, 2: self._end}[whence]
        return self._at

    def tell(self) -> int:
        return self._at

    def take(self, least: int) -> bytes:
        """Return all that is new, or nothing if that is less than `least` bytes."""
        if len(self._new) < least:
            return b""
        content, self._new = bytes(self._new), bytearray()
        return content


def _with_total(content: bytes, frames: int) -> bytes:
    shared = content[_TOTAL_AT] & 0xF0 | frames >> 32
    total = bytes([shared]) + (frames & 0xFFFF_FFFF).to_bytes(4, "big")
    return content[:_TOTAL_AT] + total + content[_HEADER_BYTES:]

"""Read a recording once, from its start to its end: its windows, and the whole of it as FLAC."""

from __future__ import annotations

import io
import math
import time
from collections.abc import Callable, Iterator
from typing import Final, NamedTuple

import numpy as np

from containers.audio_reader.decoding import Sound, opened
from containers.audio_reader.windows import Piece, Windower
from pipeline.audio.flac import FlacWriter, Out
from pipeline.audio.limits import require_denoisable
from pipeline.audio.resampling import Resampler
from pipeline.audio.samples import Samples, mono
from pipeline.contracts.audio_windows import SPEECH_RATE
from pipeline.contracts.sounds import SOUND_RATE
from pipeline.contracts.transcript import Recording
from pipeline.errors import MediaTooLong

_RESERVE_S: Final = 60  # of a call's time, for what follows the reading
_NO_SOUND: Final = Recording(codec=None, rate=0, channels=0, duration_s=0)


class Read(NamedTuple):
    """What was read, and for how long somebody speaks in it."""

    recording: Recording
    speech_s: float


class Outputs(NamedTuple):
    """Where a reading goes: each window to `keep`, the whole recording as FLAC to the others.

    `recorded` has its own rate and channels, `sound` has one channel at `SOUND_RATE`.
    """

    keep: Callable[[Piece], None]
    recorded: Out | None = None
    sound: Out | None = None


def read(
    file: io.RawIOBase | io.BytesIO,
    demuxer: str,
    windower: Windower,
    outputs: Outputs,
    *,
    ends_at: float = math.inf,
) -> Read:
    """Decode a file, and find its windows.

    A film without sound has no window, and nothing to record. `ends_at` is the reading of
    `time.monotonic` at which the call is killed. Raises UnsupportedMedia, CorruptMedia, NoAudio, or
    MediaTooLong, also if reading would take longer than that.
    """
    with opened(file, demuxer, denoised=outputs.recorded is not None) as sound:
        if sound is None:
            return Read(_NO_SOUND, 0.0)
        blocks = _in_time(sound.blocks(), ends_at)
        if outputs.recorded is not None:
            blocks = _copied(blocks, sound, outputs.recorded)
        if outputs.sound is not None:
            blocks = _mixed(blocks, sound, outputs.sound)
        speech_s = 0.0
        for piece in _windows(blocks, sound, windower):
            outputs.keep(piece)
            speech_s += sum(span.end - span.start for span in piece.speech)
        return Read(sound.recording(), round(speech_s, 3))


def _windows(blocks: Iterator[Samples], sound: Sound, windower: Windower) -> Iterator[Piece]:
    resampler = Resampler(from_rate=sound.shape.rate, to_rate=SPEECH_RATE, channels=1)
    for block in blocks:
        yield from windower.push(resampler.push(mono(block)))
    yield from windower.push(resampler.finish())
    yield from windower.finish()


def _copied(blocks: Iterator[Samples], sound: Sound, out: Out) -> Iterator[Samples]:
    """Write what passes, with the recording's own rate and channels."""
    rate, channels = sound.shape
    require_denoisable(rate, channels)
    with FlacWriter(out, rate=rate, channels=channels, bits=sound.bits) as flac:
        for block in blocks:
            flac.write(block)
            yield block


def _mixed(blocks: Iterator[Samples], sound: Sound, out: Out) -> Iterator[Samples]:
    """Write what passes, with one channel at `SOUND_RATE`."""
    resampler = Resampler(from_rate=sound.shape.rate, to_rate=SOUND_RATE, channels=1)
    with FlacWriter(out, rate=SOUND_RATE, channels=1, bits=16) as flac:
        for block in blocks:
            flac.write(resampler.push(mono(block)))
            yield block
        flac.write(resampler.finish())
        if not flac.written:  # a few samples at a greater rate
            flac.write(np.zeros((1, 1), np.float32))


def _in_time(blocks: Iterator[Samples], ends_at: float) -> Iterator[Samples]:
    for block in blocks:
        if time.monotonic() > ends_at - _RESERVE_S:
            raise MediaTooLong("one call of the function has no time to read all of its sound")
        yield block

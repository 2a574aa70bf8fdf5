"""Recordings that tests draw and encode with PyAV, in every format of the product."""

from __future__ import annotations

import io
from collections.abc import Mapping
from fractions import Fraction
from typing import Final, NamedTuple, cast

import av
import numpy as np

from pipeline.audio.samples import Samples


class Kind(NamedTuple):
    """How files of one suffix are made: FFmpeg's muxer, its encoder, and the encoder's rate.

    `error` is how much the codec may change, as a share of the sound's own energy.
    """

    muxer: str
    codec: str
    rate: int = 48_000
    error: float = 0.05
    sample_format: str | None = None


KINDS: Final[Mapping[str, Kind]] = {
    ".wav": Kind("wav", "pcm_s16le", error=1e-3),
    ".mp3": Kind("mp3", "libmp3lame"),
    ".m4a": Kind("ipod", "aac"),
    ".flac": Kind("flac", "flac", error=1e-3, sample_format="s16"),
    ".ogg": Kind("ogg", "vorbis", error=0.2),
    ".opus": Kind("opus", "libopus", error=0.1),
    ".aac": Kind("adts", "aac"),
    ".wma": Kind("asf", "wmav2", rate=44_100, error=0.1),
    ".mp4": Kind("mp4", "aac"),
    ".mov": Kind("mov", "aac"),
    ".mkv": Kind("matroska", "libopus", error=0.1),
    ".webm": Kind("webm", "libopus", error=0.1),
}


def tones(seconds: float, rate: int, channels: int = 1) -> Samples:
    """Return notes that differ by channel and change over time, with silence between them."""
    time = np.arange(round(seconds * rate)) / rate
    pitch = 220 * 2 ** (np.floor(time * 4) % 12 / 12)
    loud = 0.3 * np.clip(np.sin(2 * np.pi * time * 2) * 4, 0, 1)
    waves = [loud * np.sin(2 * np.pi * (1 + i / 2) * pitch * time) for i in range(channels)]
    return np.stack(waves, axis=1).astype(np.float32)


def encoded(samples: Samples, suffix: str, **options: str) -> bytes:
    """Return samples, (n, channels) at the rate of the suffix's `Kind`, as a file."""
    return written(samples, KINDS[suffix], options=options)


def written(
    samples: Samples,
    kind: Kind,
    *,
    film: bool = False,
    tracks: int = 1,
    options: Mapping[str, str] | None = None,
) -> bytes:
    """Return samples as a file, with `tracks` of sound (0 or more), and pictures if it is a film.

    Track i has the samples divided by i + 1.
    """
    buffer = io.BytesIO()
    with av.open(buffer, "w", format=kind.muxer, options=dict(options or {})) as out:
        pictures = out.add_stream("mpeg4", rate=5) if film else None
        if pictures is not None:
            pictures.width, pictures.height, pictures.pix_fmt = 32, 32, "yuv420p"
        layout = {1: "mono", 2: "stereo", 6: "5.1", 8: "7.1"}[samples.shape[1]]
        streams = [
            cast(
                "av.AudioStream",
                out.add_stream(kind.codec, rate=kind.rate, layout=layout, options={"strict": "-2"}),
            )
            for _ in range(tracks)
        ]
        for stream in streams:
            stream.bit_rate = 128_000
            if kind.sample_format:
                stream.format = kind.sample_format
        if pictures is not None:
            for _ in range(max(1, 5 * len(samples) // kind.rate)):
                black = av.VideoFrame.from_ndarray(np.zeros((32, 32, 3), np.uint8), format="rgb24")
                out.mux(pictures.encode(black))
            out.mux(pictures.encode(None))
        for place, stream in enumerate(streams):
            for at in range(0, len(samples), 1_024):
                block = (samples[at : at + 1_024] / np.float32(place + 1)).reshape(1, -1)
                frame = av.AudioFrame.from_ndarray(block, format="flt", layout=layout)
                frame.sample_rate, frame.pts = kind.rate, at
                frame.time_base = Fraction(1, kind.rate)
                out.mux(stream.encode(frame))
            out.mux(stream.encode(None))
    return buffer.getvalue()

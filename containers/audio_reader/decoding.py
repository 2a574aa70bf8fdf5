"""Decode the sound of a recording or film with FFmpeg, as far as it goes.

Only this module opens untrusted files. FFmpeg reads from a file object and cannot open any other
file; the demuxer is that of our own sniffing, and decoders are those of a list.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

import av
import numpy as np
from av import AudioFrame
from av.audio.stream import AudioStream
from av.container import InputContainer
from av.error import FFmpegError
from av.stream import Discard, Disposition

from containers.audio_reader import codecs
from containers.audio_reader.frames import Shape, Uniform, decoded
from containers.audio_reader.timeline import Timeline
from pipeline.audio.limits import LengthLimit
from pipeline.audio.samples import Bits, Samples
from pipeline.contracts.transcript import Recording
from pipeline.errors import CorruptMedia, NoAudio, UnsupportedMedia

_BUFFER_BYTES: Final = 2**18  # that FFmpeg reads at once
_MAX_FRAME: Final = 2**20  # samples of each channel; FFmpeg rejects a packet that has more
_MOST_FAULTS: Final = 20  # in a row; then the rest of the file counts as unreadable
_BLOCK_S: Final = 0.5
_RIFF_HEAD: Final = 8  # bytes, which the size in them does not count
_NEVER_KNOWN: Final = 0x7FFF_0000  # programs that write to a pipe state a size above this
_DOUBTED_S: Final = 1.0  # a stated duration may be as wrong as this, or as the share below
_DOUBTED_SHARE: Final = 0.02
# What FFmpeg leaves of encryption: the codec tags of MP4, and metadata of ASF and of Matroska.
_LOCKED_TAGS: Final = frozenset({"enca", "drms", "aavd"})
_LOCKED_FILE: Final = frozenset({"ASF_Protection_Type", "encryption"})
_LOCKED_TRACK: Final = "enc_key_id"
_LOCKED: Final = "the sound is encrypted (DRM)"


class Sound:
    """The sound of an opened file. `blocks` decodes it, once; `recording` then describes it.

    Its shape is that of the first frame, which is decoded when the file is opened.
    """

    def __init__(
        self,
        container: InputContainer,
        stream: AudioStream,
        remarks: list[str],
        *,
        is_film: bool,
        denoised: bool,
    ) -> None:
        self._container = container
        self._stream = stream
        self._remarks = remarks
        self._is_film = is_film
        self._faults = 0
        self._replaced = 0
        self._frames = self._decoded_frames()
        self._first = next((frame for frame in self._frames if frame.samples), None)
        if self._first is not None:
            self.shape = Shape.of(self._first)
            self.bits: Bits = codecs.bits_of(stream.codec.name, self._first.format.name)
            self._limit = LengthLimit(*self.shape, denoised=denoised)
            self._uniform = Uniform(self.shape)
            start_s = self._start_s() if is_film else None
            self._timeline = Timeline(self.shape.rate, start_s)

    @property
    def is_empty(self) -> bool:
        """True if nothing of it can be decoded."""
        return self._first is None

    @property
    def is_damaged(self) -> bool:
        return self._faults > 0

    def blocks(self) -> Iterator[Samples]:
        """Yield all samples, (n, channels), about half a second at a time.

        Raises MediaTooLong as soon as there are more than the limit.
        """
        waiting: list[Samples] = []
        held, enough = 0, int(self.shape.rate * _BLOCK_S)
        for part in self._parts():
            self._timeline.advance(len(part))
            self._limit.require(self._timeline.position)
            waiting.append(part)
            held += len(part)
            if held >= enough:
                yield np.concatenate(waiting)
                waiting.clear()
                held = 0
        if waiting:
            yield np.concatenate(waiting)

    def recording(self) -> Recording:
        """Return what was decoded, and what was damaged."""
        rate, channels = self.shape
        return Recording(
            codec=self._stream.codec.canonical_name,
            rate=rate,
            channels=channels,
            duration_s=self._timeline.position / rate,
            remarks=(*self._remarks, *self._trouble()),
        )

    def _parts(self) -> Iterator[Samples]:
        """Yield every frame in one shape, and the silence that stands for missing ones."""
        frame = self._first
        while frame is not None:
            gap = self._timeline.gap_before(frame.time)
            yield from self._silence(gap)
            samples, replaced = decoded(frame)
            self._replaced += replaced
            yield from self._uniform.push(samples, Shape.of(frame))
            frame = next(self._frames, None)
        yield from self._uniform.finish()

    def _silence(self, count: int) -> Iterator[Samples]:
        block = np.zeros((self.shape.rate, self.shape.channels), np.float32)
        for at in range(0, count, self.shape.rate):
            yield block[: count - at]

    def _decoded_frames(self) -> Iterator[AudioFrame]:
        """Yield what FFmpeg decodes; skip packets that it cannot, and end where it cannot go on."""
        in_a_row = 0
        packets = self._container.demux(self._stream)
        while in_a_row < _MOST_FAULTS:
            try:
                packet = next(packets, None)
                if packet is None:
                    return
                if packet.has_sidedata("encryption_info"):
                    raise UnsupportedMedia(_LOCKED)
                frames = packet.decode()
            except FFmpegError as error:
                self._faults += 1
                in_a_row += 1
                if isinstance(error, EOFError):
                    return
                packets = self._container.demux(self._stream)
                continue
            in_a_row = 0
            yield from frames

    def _start_s(self) -> float | None:
        start = self._container.start_time
        return None if start is None else start / av.time_base

    def _stated_s(self) -> float | None:
        """Return how long the sound lasts by the file. A film as a whole may last longer."""
        duration, base = self._stream.duration, self._stream.time_base
        if duration is not None and base is not None:
            return float(duration * base)
        whole = self._container.duration
        return None if self._is_film or whole is None else whole / av.time_base

    def _trouble(self) -> Iterator[str]:
        if self._faults:
            yield f"Damaged parts that could not be decoded: {self._faults}."
        if self._timeline.filled:
            seconds = self._timeline.filled / self.shape.rate
            yield f"Missing sound of {seconds:.1f} s is silence in what was decoded."
        if self._replaced:
            yield f"Samples that were no numbers, and are silence now: {self._replaced:,}."
        if self._uniform.changed:
            yield "The rate or the number of channels changes within the recording."
        yield from self._doubted_duration()

    def _doubted_duration(self) -> Iterator[str]:
        stated, found = self._stated_s(), self._timeline.position / self.shape.rate
        if stated is not None and abs(stated - found) > max(_DOUBTED_S, _DOUBTED_SHARE * found):
            yield f"The file states {stated:.1f} s of sound; {found:.1f} s could be decoded."


@contextmanager
def opened(
    file: io.RawIOBase | io.BytesIO, demuxer: str, *, denoised: bool
) -> Iterator[Sound | None]:
    """Open the sound of a file, or None if it is a film without sound.

    Raises UnsupportedMedia for another demuxer or codec than those listed, CorruptMedia if nothing
    can be decoded, NoAudio if the file has neither sound nor a film.
    """
    if demuxer not in codecs.DEMUXERS:
        raise UnsupportedMedia(f"recordings are not read with {demuxer}")
    remarks = [*_cut_off(file)] if demuxer == "wav" else []
    try:
        container = av.open(
            file,
            "r",
            format=demuxer,
            container_options=codecs.OPTIONS,
            metadata_errors="replace",
            buffer_size=_BUFFER_BYTES,
        )
    except FFmpegError as error:
        raise CorruptMedia(f"damaged {demuxer}: {error.strerror}") from error
    with container:
        yield _sound_of(container, remarks, denoised=denoised)


def _cut_off(file: io.RawIOBase | io.BytesIO) -> Iterator[str]:
    """Say if a WAV ends before its header does: FFmpeg takes what is there for whole."""
    file.seek(0)
    head = file.read(_RIFF_HEAD) or b""
    count = file.seek(0, io.SEEK_END)
    file.seek(0)
    stated = int.from_bytes(head[4:8], "little") + _RIFF_HEAD
    if head.startswith(b"RIFF") and count < stated < _NEVER_KNOWN:
        yield f"The file ends early: it states {stated:,} bytes, and has {count:,}."


def _sound_of(container: InputContainer, remarks: list[str], *, denoised: bool) -> Sound | None:
    streams = container.streams.audio
    is_film = any(
        not stream.disposition & Disposition.attached_pic for stream in container.streams.video
    )
    if not streams:
        if is_film:
            return None
        raise NoAudio("the file has neither a sound track nor pictures of a film")
    stream = next((one for one in streams if one.disposition & Disposition.default), streams[0])
    if len(streams) > 1:
        place = streams.index(stream) + 1
        remarks.append(f"The file has {len(streams)} sound tracks; track {place} was read.")
    _require_unlocked(container, stream)
    _require_listed(stream)
    for other in container.streams:
        other.discard = Discard.default if other is stream else Discard.all
    stream.codec_context.thread_count = 1
    stream.codec_context.options = {"max_samples": str(_MAX_FRAME)}
    sound = Sound(container, stream, remarks, is_film=is_film, denoised=denoised)
    if not sound.is_empty:
        return sound
    if is_film and not sound.is_damaged:
        return None
    raise CorruptMedia(f"no sound can be decoded: the {stream.codec.canonical_name} is damaged")


def _require_unlocked(container: InputContainer, stream: AudioStream) -> None:
    """Raise UnsupportedMedia for what would be decoded as noise."""
    by_file = container.format.name == "asf" and _LOCKED_FILE & container.metadata.keys()
    if by_file or _tag_of(stream) in _LOCKED_TAGS or _LOCKED_TRACK in stream.metadata:
        raise UnsupportedMedia(_LOCKED)


def _tag_of(stream: AudioStream) -> str:
    """Return the four letters by which the file calls the codec, or nothing."""
    try:
        return stream.codec_context.codec_tag if stream.codec_context is not None else ""
    except UnicodeDecodeError:  # a number, as in a WAVE file
        return ""


def _require_listed(stream: AudioStream) -> None:
    context = stream.codec_context
    name = context.codec.name if context is not None else "an unknown codec"
    if name not in codecs.DECODERS:
        raise UnsupportedMedia(f"recordings with sound in {name} are not read")

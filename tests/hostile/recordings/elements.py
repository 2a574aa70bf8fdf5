"""Matroska built element by element: sizes, codings, lacing and times that lie."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from functools import partial
from typing import Final

from tests.hostile.recordings.case import READ, Case, bad, good
from tests.hostile.recordings.waves import CORRUPT, PCM, RATE, TONES, UNSUPPORTED
from tests.pipeline.audio.recordings import KINDS, tones, written

UNKNOWN: Final = 2**56 - 1
_FRAME: Final = 800  # bytes of a block: 50 ms


def element(name: int, *content: bytes, size: int | None = None) -> bytes:
    body = b"".join(content)
    number = name.to_bytes((name.bit_length() + 7) // 8, "big")
    return number + (0x01 << 56 | (len(body) if size is None else size)).to_bytes(8, "big") + body


def number(name: int, value: int, length: int = 8) -> bytes:
    return element(name, value.to_bytes(length, "big"))


def sound(  # noqa: PLR0913 - every field may lie
    codec: bytes = b"A_PCM/INT/LIT",
    *,
    rate: bytes = struct.pack(">d", RATE),
    channels: int = 1,
    bits: int = 16,
    track: int = 1,
    kind: int = 2,
    extra: bytes = b"",
) -> bytes:
    audio = element(0xE1, element(0xB5, rate), number(0x9F, channels), number(0x6264, bits))
    return element(
        0xAE,
        number(0xD7, track),
        number(0x73C5, track),
        number(0x83, kind),
        element(0x86, codec),
        audio,
        extra,
    )


def block(data: bytes, at: int, *, flags: int = 0x80, track: int = 1) -> bytes:
    return element(0xA3, bytes([0x80 | track]) + struct.pack(">hB", at, flags) + data)


def blocks(pack: object = None) -> bytes:
    convert = pack if callable(pack) else bytes
    return b"".join(
        block(convert(PCM[at : at + _FRAME]), at // (_FRAME // 50))
        for at in range(0, len(PCM), _FRAME)
    )


def matroska(  # noqa: PLR0913 - every field may lie
    *,
    tracks: bytes | None = None,
    inner: bytes | None = None,
    head: bytes = b"",
    scale: int = 10**6,
    before: bytes = b"",
    segment: int | None = None,
    cluster: int | None = None,
    duration: bytes = b"",
) -> bytes:
    kind = b"\x42\x82\x88matroska"  # every writer states this size in one byte
    ebml = element(0x1A45DFA3, kind, head)
    info = element(0x1549A966, number(0x2AD7B1, scale), duration)
    entries = element(0x1654AE6B, sound() if tracks is None else tracks)
    body = element(0x1F43B675, number(0xE7, 0), blocks() if inner is None else inner, size=cluster)
    return ebml + element(0x18538067, info, entries, before, body, size=segment)


def coded(algorithm: int, settings: bytes = b"") -> bytes:
    compression = element(
        0x5034, number(0x4254, algorithm, 1), element(0x4255, settings) if settings else b""
    )
    return element(
        0x6D80,
        element(0x6240, number(0x5031, 0), number(0x5032, 1), number(0x5033, 0), compression),
    )


def cases() -> Iterator[Case]:
    yield good("MKV", matroska, 2, heard=TONES, shape=(RATE, 1))
    yield from _sizes()
    yield from _tracks()
    yield from _codings()
    yield from _lacing()
    yield from _times()


def _sizes() -> Iterator[Case]:
    yield good(
        "MKV of unknown size", partial(matroska, segment=UNKNOWN, cluster=UNKNOWN), 2, heard=TONES
    )
    yield Case("MKV of 72 PB", partial(matroska, segment=2**56 - 2), heard=TONES, remarks=None)
    yield Case("MKV with a cluster of 72 PB", partial(matroska, cluster=2**56 - 2), remarks=None)
    yield Case("MKV of no bytes", partial(matroska, segment=0), remarks=None)
    yield Case(
        "MKV of a version of nobody's",
        partial(matroska, head=number(0x42F7, 99) + number(0x4285, 99)),
        CORRUPT,
        remarks=None,
    )
    yield Case(
        "MKV with sizes of 99 bytes",
        partial(matroska, head=number(0x42F3, 99)),
        CORRUPT,
        remarks=None,
    )
    deep = b""
    for _ in range(3_000):
        deep = element(0xB6, deep)
    chapters = element(0x1043A770, element(0x45B9, deep))
    yield Case(
        "MKV with 3,000 chapters in each other", partial(matroska, before=chapters), remarks=None
    )
    yield good(
        "MKV with 5 MB of nothing",
        partial(matroska, before=element(0xEC, bytes(5 * 10**6))),
        2,
        heard=TONES,
    )
    yield good(
        "MKV with 50,000 empty elements",
        partial(matroska, before=element(0xEC) * 50_000),
        2,
        heard=TONES,
    )
    file = element(
        0x61A7,
        element(0x466E, b"font.ttf"),
        element(0x4660, b"font/ttf"),
        element(0x465C, bytes(5 * 10**6)),
        number(0x46AE, 1),
    )
    yield good(
        "MKV with a font of 5 MB",
        partial(matroska, before=element(0x1941A469, file)),
        2,
        heard=TONES,
    )
    liar = element(
        0x61A7,
        element(0x466E, b"../../etc/passwd"),
        element(0x4660, b"image/png"),
        element(0x465C, b"x", size=2**40),
    )
    yield Case(
        "MKV with a picture of 1 TB",
        partial(matroska, before=element(0x1941A469, liar)),
        remarks=None,
    )
    many = (
        element(
            0x61A7,
            element(0x466E, b"a"),
            element(0x4660, b"image/png"),
            element(0x465C, b"x"),
            number(0x46AE, 7),
        )
        * 3_000
    )
    yield Case(
        "MKV with 3,000 pictures",
        partial(matroska, before=element(0x1941A469, many)),
        heard=TONES,
        remarks=None,
    )
    cues = element(
        0x1C53BB6B,
        element(0xBB, number(0xB3, 2**63), element(0xB7, number(0xF7, 1), number(0xF1, 2**63)))
        * 5_000,
    )
    yield Case(
        "MKV with cues to nowhere", partial(matroska, before=cues), heard=TONES, remarks=None
    )
    seek = element(
        0x114D9B74, element(0x4DBB, element(0x53AB, b"\x1c\x53\xbb\x6b"), number(0x53AC, 0)) * 2_000
    )
    yield Case(
        "MKV that refers to itself", partial(matroska, before=seek), heard=TONES, remarks=None
    )


def _tracks() -> Iterator[Case]:
    yield bad("MKV of no tracks", partial(matroska, tracks=b""), "NoAudio")
    for name, rate, end in (
        ("NaN Hz", struct.pack(">d", float("nan")), READ),
        ("-1 Hz", struct.pack(">d", -1), READ),
        ("0 Hz", struct.pack(">d", 0), CORRUPT),
        ("infinite Hz", struct.pack(">d", float("inf")), READ),
        ("1e300 Hz", struct.pack(">d", 1e300), READ),
        ("1 Hz", struct.pack(">d", 1), UNSUPPORTED),
        ("no size", b"", READ),
        ("three bytes", b"abc", READ),
    ):
        yield Case(
            f"MKV with a rate of {name}",
            partial(matroska, tracks=sound(rate=rate)),
            end,
            remarks=None,
        )
    for channels, end in ((0, CORRUPT), (33, UNSUPPORTED), (2**31, CORRUPT), (2**63, CORRUPT)):
        yield bad(
            f"MKV of {channels} channels", partial(matroska, tracks=sound(channels=channels)), end
        )
    for bits in (0, 7, 2**40):
        yield good(f"MKV of {bits} bits", partial(matroska, tracks=sound(bits=bits)), 2)
    for codec, end in (
        (b"A_REAL/COOK", UNSUPPORTED),
        (b"A_NOBODY", UNSUPPORTED),
        (b"", "NoAudio"),
        (b"A_MS/ACM", UNSUPPORTED),
        (b"A_" + b"X" * 100_000, UNSUPPORTED),
        (b"A_AAC", CORRUPT),
        (b"A_VORBIS", CORRUPT),
        (b"A_FLAC", CORRUPT),
        (b"A_ALAC", CORRUPT),
        (b"A_TTA1", UNSUPPORTED),
        (b"A_TRUEHD", UNSUPPORTED),
        (b"A_QUICKTIME", UNSUPPORTED),
        (b"A_DTS", CORRUPT),
        (b"A_WAVPACK4", UNSUPPORTED),
    ):
        yield bad(f"MKV of {codec[:20]!r}", partial(matroska, tracks=sound(codec)), end)
    private = element(0x63A2, b"\1" + b"\xff" * 1_000)
    yield bad(
        "MKV of Vorbis with 255 bytes after 255",
        partial(matroska, tracks=sound(b"A_VORBIS", extra=private)),
        CORRUPT,
    )
    many = b"".join(sound(track=place) for place in range(1, 1_001))
    yield good(
        "MKV of 1,000 tracks",
        partial(matroska, tracks=many),
        2,
        "has 1000 sound tracks",
        "The file states",
        heard=TONES,
    )
    yield bad(
        "MKV of subtitles alone",
        partial(matroska, tracks=sound(b"S_TEXT/UTF8", kind=17)),
        "NoAudio",
    )
    yield Case(
        "MKV of two kinds of tracks of one number",
        partial(matroska, tracks=sound() + sound(b"V_VP8", kind=1)),
        remarks=None,
        heard=TONES,
    )
    yield Case(
        "MKV of blocks of a track that is not there",
        partial(matroska, inner=block(PCM[:_FRAME], 0, track=9)),
        CORRUPT,
        remarks=None,
    )


def _codings() -> Iterator[Case]:
    for name, algorithm, pack in (("zlib", 0, zlib.compress),):
        yield Case(
            f"MKV packed with {name}",
            partial(matroska, tracks=sound(extra=coded(algorithm)), inner=blocks(pack)),
            heard=TONES,
            remarks=None,
        )
        bomb = block(pack(bytes(64 * 2**20)), 0)
        yield Case(
            f"MKV with a block of 64 MB, packed with {name}",
            partial(matroska, tracks=sound(extra=coded(algorithm)), inner=bomb),
            CORRUPT,
            remarks=None,
        )
        bomb = block(pack(bytes(1_000 * 2**20)), 0)
        yield Case(
            f"MKV with a block of a bomb, packed with {name}",
            partial(matroska, tracks=sound(extra=coded(algorithm)), inner=bomb + blocks(pack)),
            CORRUPT,
            remarks=None,
        )
        yield bad(
            f"MKV that says {name} and is not",
            partial(matroska, tracks=sound(extra=coded(algorithm))),
            CORRUPT,
        )
    yield bad(
        "MKV packed with LZO that is none", partial(matroska, tracks=sound(extra=coded(2))), CORRUPT
    )
    stripped = matroska(tracks=sound(extra=coded(3, PCM[:2])), inner=block(PCM[2:_FRAME], 0))
    yield Case(
        "MKV with its blocks' heads taken away",
        partial(bytes, stripped),
        seconds=(0.04, 0.06),
        heard=TONES[: _FRAME // 2],
    )
    long = matroska(tracks=sound(extra=coded(3, bytes(10**6))), inner=blocks())
    yield Case(
        "MKV with heads of 1 MB taken away",
        partial(bytes, long),
        remarks=None,
        seconds=(60, 43_200),
    )
    encryption = element(0x5035, number(0x47E1, 5, 1), element(0x47E2, bytes(16)))
    locked = element(
        0x6D80, element(0x6240, number(0x5031, 0), number(0x5032, 1), number(0x5033, 1), encryption)
    )
    yield bad("MKV that is encrypted", partial(matroska, tracks=sound(extra=locked)), UNSUPPORTED)


def _lacing() -> Iterator[Case]:
    first = PCM[:_FRAME]
    half = _FRAME // 2
    xiph = bytes([1]) + b"\xff" * (half // 255) + bytes([half % 255]) + first
    yield Case(
        "MKV, laced by Xiph",
        partial(matroska, inner=block(xiph, 0, flags=0x82)),
        seconds=(0.04, 0.06),
        heard=TONES[:half],
    )
    yield Case(
        "MKV, laced in one size",
        partial(matroska, inner=block(b"\1" + first, 0, flags=0x84)),
        seconds=(0.04, 0.06),
        heard=TONES[:half],
    )
    yield Case(
        "MKV, laced by EBML",
        partial(
            matroska, inner=block(b"\1" + (0x4000 | half).to_bytes(2, "big") + first, 0, flags=0x86)
        ),
        seconds=(0.04, 0.06),
        heard=TONES[:half],
    )
    for name, flags, content in (
        ("by Xiph, without end", 0x82, b"\xff" * 500),
        ("in 255 of one size", 0x84, b"\xff" + first[:100]),
        ("by EBML, beyond the end", 0x86, b"\3\x7f\xfe\x80\x80" + first),
        ("in none", 0x82, b""),
    ):
        yield Case(
            f"MKV, laced {name}",
            partial(matroska, inner=block(content, 0, flags=flags) * 3),
            CORRUPT,
            remarks=None,
        )


def _times() -> Iterator[Case]:
    for scale, end in ((0, READ), (1, READ), (2**63, CORRUPT)):
        yield Case(f"MKV of {scale} ns a unit", partial(matroska, scale=scale), end, remarks=None)
    for name, value in (("NaN", float("nan")), ("-1", -1.0), ("1e300", 1e300), ("2 years", 6e10)):
        duration = element(0x4489, struct.pack(">d", value))
        yield Case(
            f"MKV that states {name} ms",
            partial(matroska, duration=duration),
            heard=TONES,
            remarks=None,
        )
    backwards = b"".join(block(PCM[:_FRAME], 30_000 - 50 * i) for i in range(40))
    yield Case(
        "MKV whose times run backwards",
        partial(matroska, inner=backwards),
        remarks=None,
        seconds=(1.9, 2.1),
    )
    still = b"".join(block(PCM[:_FRAME], 7) for i in range(40))
    yield Case(
        "MKV whose times stand still",
        partial(matroska, inner=still),
        remarks=None,
        seconds=(1.9, 2.1),
    )
    leap = block(PCM[:_FRAME], 0) + block(PCM[:_FRAME], 30_000)
    yield good(
        "MKV with half a minute missing",
        partial(matroska, inner=leap),
        30,
        "Missing sound of 29.9 s",
        "The file states",
    )
    far = element(0x1F43B675, number(0xE7, 4_000_000), blocks())
    yield Case(
        "MKV that leaps by an hour and more",
        partial(bytes, matroska(segment=UNKNOWN) + far),
        seconds=(3.9, 4.1),
        remarks=None,
    )
    content = partial(short_blocks, 60_000)
    yield good(
        "MKV of blocks of one sample",
        content,
        60_000 / 192_000,
        "The file states",
        shape=(192_000, 1),
    )
    own = tones(1, 48_000)
    yield Case("WebM", partial(written, own, KINDS[".webm"]), seconds=(0.9, 1.1))


def short_blocks(count: int) -> bytes:
    """Return sound at 192 kHz with one sample in each block."""
    inner = block(PCM[4_000:4_002], 0) * count
    return matroska(tracks=sound(rate=struct.pack(">d", 192_000)), inner=inner)

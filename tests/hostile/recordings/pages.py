"""Ogg, page by page: chained and mixed streams, codecs' headers that lie, and pages that do."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from functools import partial
from typing import Final

import numpy as np

from tests.hostile.recordings.case import READ, Case, bad, good
from tests.hostile.recordings.streams import CHANGES
from tests.hostile.recordings.waves import CORRUPT
from tests.pipeline.audio.recordings import KINDS, Kind, encoded, tones, written

_POLYNOMIAL: Final = 0x04C11DB7
FLAC_IN_OGG: Final = Kind("ogg", "flac", sample_format="s16")


def page(
    packets: list[bytes], *, serial: int = 7, number: int = 0, granule: int = 0, flags: int = 0
) -> bytes:
    """Return a page with whole packets, and a true checksum."""
    lacing = b"".join(b"\xff" * (len(each) // 255) + bytes([len(each) % 255]) for each in packets)
    head = (
        b"OggS\0" + struct.pack("<BqIII", flags, granule, serial, number, 0) + bytes([len(lacing)])
    )
    return checked(head + lacing + b"".join(packets))


def checked(content: bytes) -> bytes:
    return (
        content[:22]
        + struct.pack("<I", checksum(content[:22] + bytes(4) + content[26:]))
        + content[26:]
    )


def checksum(content: bytes) -> int:
    result = 0
    for byte in content:
        result ^= byte << 24
        for _ in range(8):
            result = (result << 1 ^ (_POLYNOMIAL if result & 0x80000000 else 0)) & 0xFFFFFFFF
    return result


def pages(stream: bytes) -> list[bytes]:
    starts, at = [], 0
    while at < len(stream):
        starts.append(at)
        count = stream[at + 26]
        at += 27 + count + sum(stream[at + 27 : at + 27 + count])
    return [stream[a:b] for a, b in zip(starts, [*starts[1:], len(stream)], strict=True)]


def opus_head(  # noqa: PLR0913 - every field may lie
    *,
    channels: int = 1,
    family: int = 0,
    skip: int = 312,
    gain: int = 0,
    rest: bytes = b"",
    version: int = 1,
) -> bytes:
    return (
        b"OpusHead" + struct.pack("<BBHIhB", version, channels, skip, 48_000, gain, family) + rest
    )


def opus(head: bytes, packets: int = 50, packet: bytes = b"\xf8\xff\xfe") -> bytes:
    """Return Opus of 20 ms of silence a packet."""
    tags = b"OpusTags" + struct.pack("<II", 0, 0)
    sound = [page([packet], number=2 + i, granule=960 * (i + 1)) for i in range(packets)]
    return page([head], flags=2) + page([tags], number=1) + b"".join(sound)


def cases() -> Iterator[Case]:
    yield from _streams()
    yield from _opus()
    yield from _others()
    yield from _lies()


def _streams() -> Iterator[Case]:
    vorbis = encoded(tones(2, 48_000, 2), ".ogg")
    slow = written(tones(2, 24_000, 2), Kind("ogg", "vorbis", rate=24_000))
    flac, stereo = written(tones(2, 48_000), FLAC_IN_OGG), written(tones(2, 48_000, 2), FLAC_IN_OGG)
    opus_file = encoded(tones(2, 48_000), ".opus")
    yield good("Ogg of FLAC", partial(bytes, flac), 2, heard=tones(2, 48_000))
    yield Case("Ogg of Vorbis twice", partial(bytes, vorbis * 2), seconds=(3.8, 4.2), remarks=None)
    # FFmpeg cannot go on with other codebooks; what it read until there is kept.
    yield Case(
        "Ogg of Vorbis at 48 kHz, then 24 kHz",
        partial(bytes, vorbis + slow),
        remarks=("Damaged parts",),
    )
    yield Case(
        "Ogg of FLAC, one channel, then two",
        partial(bytes, flac + stereo),
        seconds=(3.8, 4.2),
        remarks=(CHANGES, "The file states"),
    )
    yield Case("Ogg of Opus twice", partial(bytes, opus_file * 2), seconds=(3.8, 4.2), remarks=None)
    yield Case(
        "Ogg of Vorbis, then of Opus",
        partial(bytes, vorbis + opus_file),
        seconds=(1.9, 4.2),
        remarks=None,
    )
    mixed = written(tones(2, 48_000, 2), KINDS[".ogg"], tracks=3)
    yield Case(
        "Ogg of three streams mixed",
        partial(bytes, mixed),
        seconds=(1.9, 2.1),
        remarks=("The file has 3 sound tracks; track 1",),
    )
    heads = b"".join(page([opus_head()], serial=i, flags=2) for i in range(500))
    yield bad("Ogg of 500 beginnings", partial(bytes, heads), CORRUPT)


def _opus() -> Iterator[Case]:
    yield good("Opus of silence", partial(opus, opus_head()), 1)
    mapping = bytes([255, 0]) + bytes(range(255))
    yield bad(
        "Opus of 255 channels",
        partial(opus, opus_head(channels=255, family=255, rest=mapping)),
        CORRUPT,
    )
    for name, head, end in (
        ("0 channels", opus_head(channels=0), CORRUPT),
        ("3 channels of family 0", opus_head(channels=3), CORRUPT),
        (
            "9 channels of family 1",
            opus_head(channels=9, family=1, rest=bytes([9, 0]) + bytes(range(9))),
            CORRUPT,
        ),
        ("a mapping cut short", opus_head(channels=6, family=1, rest=b"\4"), CORRUPT),
        (
            "a mapping to nowhere",
            opus_head(channels=2, family=1, rest=bytes([1, 0, 200, 201])),
            CORRUPT,
        ),
        (
            "more coupled streams than streams",
            opus_head(channels=2, family=1, rest=bytes([1, 2, 0, 1])),
            CORRUPT,
        ),
        ("a head of 8 bytes", b"OpusHead", CORRUPT),
        ("version 255", opus_head(version=255), CORRUPT),
    ):
        yield bad(f"Opus of {name}", partial(opus, head), end)
    muted = opus_head(channels=2, family=1, rest=bytes([1, 0, 255, 255]))
    yield Case("Opus of two channels that are silence", partial(opus, muted), seconds=(0.9, 1.1))
    yield Case("Opus that skips all", partial(opus, opus_head(skip=65_535)), CORRUPT, remarks=None)
    for gain in (32_767, -32_768):
        yield Case(
            f"Opus of a gain of {gain}", partial(opus, opus_head(gain=gain)), seconds=(0.9, 1.1)
        )
    for name, packet in (
        ("no bytes", b""),
        ("one byte", b"\xff"),
        ("48 frames", b"\xfb\x30"),
        ("noise", np.random.default_rng(2).bytes(200)),
        ("ones", b"\xff" * 200),
    ):
        yield Case(
            f"Opus whose packets are {name}",
            partial(opus, opus_head(), packet=packet),
            CORRUPT,
            remarks=None,
        )


def _others() -> Iterator[Case]:
    identity = b"\x01vorbis" + struct.pack("<IBIiiiBB", 0, 2, 44_100, 0, 0, 0, 0xB8, 1)
    for name, head in (
        ("Vorbis of 255 channels", identity[:11] + b"\xff" + identity[12:]),
        ("Vorbis of 0 Hz", identity[:12] + bytes(4) + identity[16:]),
        ("Vorbis of blocks of 2^15", identity[:28] + b"\xff" + identity[29:]),
        ("Vorbis of a head alone", identity),
        ("Speex of nonsense", b"Speex   1.2" + b"\xff" * 69),
        ("Speex of zeros", b"Speex   1.2".ljust(80, b"\0")),
        ("FLAC of a head cut short", b"\x7fFLAC\1\0\0\1fLaC\0\0\0\x22" + bytes(10)),
        ("FLAC of zeros", b"\x7fFLAC\1\0\0\1fLaC\0\0\0\x22" + bytes(34)),
    ):
        content = page([head], flags=2) + b"".join(
            page([bytes(100)], number=i + 1) for i in range(20)
        )
        yield Case(f"Ogg of {name}", partial(bytes, content), CORRUPT, remarks=None)
    books = b"\x05vorbis" + b"\xff" * 200 + b"BCV" + b"\xff" * 20_000
    pieces = [
        page([identity], flags=2),
        page([b"\x03vorbis" + bytes(9)], number=1),
        page([books[:60_000]], number=2),
    ]
    yield bad("Ogg of Vorbis with 256 giant books", partial(bytes, b"".join(pieces)), CORRUPT)
    for name, head in (("nobody's codec", b"NOBODY" + bytes(40)), ("no bytes", b"")):
        content = page([head], flags=2) + b"".join(
            page([bytes(100)], number=i + 1) for i in range(20)
        )
        yield bad(f"Ogg of {name}", partial(bytes, content), CORRUPT)
    theora = b"\x80theora\3\2\1" + struct.pack(">HH", 2, 2) + bytes(60)
    yield Case(
        "Ogg of a film alone",
        partial(bytes, page([theora], flags=2) + page([bytes(90)], number=1)),
        seconds=(0, 0),
        shape=(0, 0),
    )


def _lies() -> Iterator[Case]:
    flac = written(tones(4, 48_000), FLAC_IN_OGG)
    parts = pages(flac)
    middle = len(parts) // 2
    for name, changed, seconds in (
        (
            "a page of a false checksum",
            [*parts[:middle], _unchecked(parts[middle]), *parts[middle + 1 :]],
            4.0,
        ),
        ("a page twice", parts[: middle + 1] + parts[middle:], 5.06),
        ("a page missing", parts[:middle] + parts[middle + 1 :], 4.0),
        (
            "a page of another stream",
            [*parts[:middle], page([b"x" * 99], serial=99, number=5), *parts[middle:]],
            4.0,
        ),
        ("garbage between pages", [*parts[:middle], bytes(range(256)) * 40, *parts[middle:]], 4.0),
        ("no first page", parts[1:], 0.0),
        ("no last page", parts[:-1], 3.17),
        ("its pages in reverse", parts[:3] + parts[3:][::-1], 6.11),
    ):
        end = READ if seconds else CORRUPT
        yield Case(
            f"Ogg with {name}",
            partial(bytes, b"".join(changed)),
            end,
            (seconds - 0.1, seconds + 0.1),
            remarks=None,
        )
    for name, granule in (
        ("a year", 2**40),
        ("292,000 years", 2**62),
        ("no time", -1),
        ("before its start", -(2**62)),
    ):
        lying = [checked(each[:6] + struct.pack("<q", granule) + each[14:]) for each in parts[-1:]]
        yield Case(
            f"Ogg whose last page is of {name}",
            partial(bytes, b"".join(parts[:-1] + lying)),
            remarks=None,
            seconds=(3.8, 4.3),
        )
    full = b"OggS\0" + struct.pack("<BqIII", 2, 0, 1, 0, 0) + b"\xff" + b"\xff" * 255
    yield bad("Ogg with a page of 64 KB that is not there", partial(bytes, checked(full)), CORRUPT)
    yield bad(
        "Ogg with a packet that never ends",
        partial(
            bytes,
            checked(full + bytes(65_025))
            + b"".join(
                checked(
                    b"OggS\0"
                    + struct.pack("<BqIII", 1, -1, 1, i, 0)
                    + b"\xff"
                    + b"\xff" * 255
                    + bytes(65_025)
                )
                for i in range(1, 3)
            ),
        ),
        CORRUPT,
    )


def _unchecked(content: bytes) -> bytes:
    return content[:22] + b"\1\2\3\4" + content[26:]

"""MP3, AAC and FLAC: tags and headers that lie, and frames that change or are none."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from functools import partial
from typing import Final

import numpy as np

from tests.hostile.recordings.case import READ, Case, bad, good
from tests.hostile.recordings.waves import CORRUPT, UNSUPPORTED
from tests.pipeline.audio.recordings import Kind, encoded, tones, written

NOISE: Final = np.random.default_rng(3).bytes(5_000)
CHANGES: Final = "The rate or the number of channels changes"
DAMAGED: Final = r"Damaged parts"
STATES: Final = r"The file states"


def cases() -> Iterator[Case]:
    yield from _mp3()
    yield from _mp3_tags()
    yield from _aac()
    yield from _flac()


def mp3(rate: int = 48_000, channels: int = 1, seconds: float = 2, **options: str) -> bytes:
    kind = Kind("mp3", "libmp3lame", rate=rate)
    return written(tones(seconds, rate, channels), kind, options={"id3v2_version": "0", **options})


def tag(content: bytes, size: int | None = None, flags: int = 0) -> bytes:
    """Return an ID3v2.4 tag."""
    return (
        b"ID3\x04\0" + bytes([flags]) + synchsafe(len(content) if size is None else size) + content
    )


def frame(name: bytes, content: bytes, flags: int = 0, size: int | None = None) -> bytes:
    stated = synchsafe(len(content) if size is None else size)
    return name + stated + struct.pack(">H", flags) + content


def synchsafe(number: int) -> bytes:
    return bytes(number >> shift & 0x7F for shift in (21, 14, 7, 0))


def _mp3() -> Iterator[Case]:
    plain = mp3(write_xing="0")
    own = tones(2, 48_000)
    yield good("MP3", partial(bytes, mp3()), 2, heard=own)
    yield good("MP3 without Xing's header", partial(bytes, plain), 2)
    headed = mp3()
    at = headed.index(b"Xing") if b"Xing" in headed else headed.index(b"Info")
    for name, count, remarks in (
        ("0 frames", 0, ()),
        ("1 frame", 1, (STATES,)),
        ("4 billion frames", 2**32 - 1, None),
        ("an hour", 150_000, (STATES,)),
    ):
        lying = bytearray(headed)
        struct.pack_into(">I", lying, at + 8, count)
        yield Case(
            f"MP3 that states {name}", partial(bytes, lying), seconds=(1.9, 2.1), remarks=remarks
        )
    delayed = bytearray(headed)
    delayed[at + 141 : at + 144] = b"\xff\xff\xff"
    yield Case(
        "MP3 with the longest delay", partial(bytes, delayed), remarks=None, seconds=(1.5, 2.1)
    )
    vbri = bytearray(headed)
    vbri[at - 4 : at + 14 + 8] = b"\0" * 26
    vbri[36:62] = b"VBRI" + struct.pack(">HHHIIHHHH", 1, 0, 100, 2**31, 2**31, 65_535, 1, 4, 1)
    yield Case(
        "MP3 with a lying VBRI header", partial(bytes, vbri), remarks=None, seconds=(1.9, 2.1)
    )
    cut = len(plain) // 2
    yield Case(
        "MP3 with garbage in the middle",
        partial(bytes, plain[:cut] + NOISE + plain[cut:]),
        seconds=(1.9, 2.6),
        remarks=None,
    )
    zeros = plain[:cut] + bytes(10**6) + plain[cut:]
    yield Case(
        "MP3 with 1 MB of zeros in the middle",
        partial(bytes, zeros),
        seconds=(1, 2.6),
        remarks=None,
    )
    joined = plain + mp3(24_000, write_xing="0")
    yield good(
        "MP3 of 48 kHz, then of 24 kHz",
        partial(bytes, joined),
        4,
        "Missing sound of 0.1 s",
        CHANGES,
    )
    joined = plain + mp3(48_000, 2, write_xing="0")
    yield good(
        "MP3 of one channel, then of two", partial(bytes, joined), 4, CHANGES, shape=(48_000, 1)
    )
    yield Case(
        "50 MP3s in one",
        partial(bytes, mp3(seconds=0.2, write_xing="0") * 50),
        seconds=(9, 13),
        remarks=None,
    )
    free = bytearray(plain)
    at = 0
    while 0 <= at < len(free) - 4 and free[at] == 0xFF:
        length = 144_000 * (0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320)[
            free[at + 2] >> 4
        ] // 48_000 + (free[at + 2] >> 1 & 1)
        free[at + 2] &= 0x0F
        at += length
    yield bad("MP3 of a free format", partial(bytes, free), UNSUPPORTED)
    yield bad("MP3 of one frame", partial(bytes, plain[:384]), UNSUPPORTED)
    headers = b"\xff\xfb\x94\xc4" + bytes(380)
    yield Case(
        "MP3 of empty frames", partial(bytes, headers * 100), seconds=(2.3, 2.5), remarks=None
    )
    broken = b"\xff\xfb\x94\xc4" + b"\xff" * 380
    yield bad("MP3 of frames full of ones", partial(bytes, broken * 100), CORRUPT)
    yield Case("MP2", partial(written, own, Kind("mp2", "mp2")), seconds=(1.9, 2.1))


def _mp3_tags() -> Iterator[Case]:
    plain = mp3(write_xing="0")
    yield bad(
        "MP3 with a tag of 256 MB, by its header", partial(bytes, tag(plain, 2**28 - 1)), CORRUPT
    )
    yield bad("MP3 that is a tag alone", partial(bytes, tag(bytes(5_000))), CORRUPT)
    yield good("MP3 behind a tag of 1 MB", partial(bytes, tag(bytes(10**6)) + plain), 2)
    yield good("MP3 behind 100 tags", partial(bytes, tag(bytes(100)) * 100 + plain), 2)
    picture = frame(b"APIC", b"\0image/jpeg\0\x03\0" + bytes(2 * 10**6))
    yield good("MP3 with a picture of 2 MB", partial(bytes, tag(picture) + plain), 2)
    liar = frame(b"APIC", b"\0image/jpeg\0\x03\0" + bytes(100), size=2**28 - 1)
    yield good("MP3 with a picture of 256 MB, by its header", partial(bytes, tag(liar) + plain), 2)
    bomb = zlib.compress(bytes(200 * 2**20), 9)
    packed = frame(b"TIT2", synchsafe(200 * 2**20 & 0x0FFFFFFF) + bomb, flags=0x0009)
    yield good("MP3 with a title of 200 MB, packed", partial(bytes, tag(packed) + plain), 2)
    titles = frame(b"TXXX", b"\3a\0b") * 20_000
    yield good("MP3 with 20,000 titles", partial(bytes, tag(titles) + plain), 2)
    odd = (
        frame(b"TIT2", b"\1\xff\xfe\0\xd8")
        + frame(b"TPE1", b"\3\xff\xfe")
        + frame(b"\0\0\0\0", b"")
    )
    yield good("MP3 with titles of half letters", partial(bytes, tag(odd) + plain), 2)
    chapters = frame(b"CHAP", b"a\0" + struct.pack(">4I", 5, 2, 2**32 - 1, 0)) * 500
    yield good("MP3 with chapters that end early", partial(bytes, tag(chapters) + plain), 2)
    ape = b"APETAGEX" + struct.pack("<4I", 2_000, 2**31, 2**31, 0) + bytes(8)
    yield Case(
        "MP3 with a tag of 2 GB at its end",
        partial(bytes, plain + ape),
        seconds=(1.9, 2.1),
        remarks=None,
    )
    yield Case(
        "MP3 with a tag of 1996 at its end",
        partial(bytes, plain + b"TAG" + b"\xff" * 125),
        seconds=(1.9, 2.1),
        remarks=None,
    )


def _aac() -> Iterator[Case]:
    plain = encoded(tones(2, 48_000), ".aac")
    yield good("AAC", partial(bytes, plain), 2)
    yield bad(
        "AAC whose frames have 7 bytes",
        partial(bytes, b"\xff\xf1\x4c\x80\x00\xff\xfc" * 2_000),
        CORRUPT,
    )
    empty = adts(b"")
    yield bad("AAC of empty frames", partial(bytes, empty * 5_000), CORRUPT)
    yield bad("AAC of frames of zeros", partial(bytes, adts(bytes(200)) * 200), CORRUPT)
    yield bad("AAC of frames of ones", partial(bytes, adts(b"\xff" * 200) * 200), CORRUPT)
    yield bad(
        "AAC of noise",
        partial(bytes, b"".join(adts(NOISE[i : i + 90]) for i in range(0, 4_900, 90))),
        CORRUPT,
    )
    for name, change, end in (("0 channels", 0, CORRUPT), ("7.1 channels", 7, READ)):
        frames = [adts(body, channels=change) for body in bodies(plain)]
        yield Case(f"AAC that states {name}", partial(bytes, b"".join(frames)), end)
    frames = [adts(body, rate=12) for body in bodies(plain)]
    yield Case(
        "AAC that states 7,350 Hz",
        partial(bytes, b"".join(frames)),
        shape=(7_350, 1),
        seconds=(11, 12.5),
        remarks=None,
    )
    frames = [adts(body, rate=3 + i // 40 % 2) for i, body in enumerate(bodies(plain))]
    yield Case(
        "AAC whose rate changes", partial(bytes, b"".join(frames)), remarks=None, seconds=(1.9, 2.3)
    )
    for kind in (0, 2, 3):
        frames = [adts(body, kind=kind) for body in bodies(plain)]
        yield Case(f"AAC of profile {kind}", partial(bytes, b"".join(frames)), remarks=None)
    frames = [adts(body, blocks=3) for body in bodies(plain)]
    yield Case(
        "AAC that states four blocks in each frame", partial(bytes, b"".join(frames)), remarks=None
    )
    cut = len(plain) // 2
    yield Case(
        "AAC with garbage in the middle",
        partial(bytes, plain[:cut] + NOISE + plain[cut:]),
        seconds=(1.8, 2.6),
        remarks=None,
    )
    latm = written(tones(2, 48_000), Kind("latm", "aac"))
    yield bad("AAC in LATM", partial(bytes, latm), UNSUPPORTED)
    yield good("AAC behind the name of ADIF", partial(bytes, b"ADIF" + plain), 2)


def adts(body: bytes, *, channels: int = 1, rate: int = 3, kind: int = 1, blocks: int = 0) -> bytes:
    """Return a frame of AAC at 48 kHz, if its header is true."""
    length = len(body) + 7
    header = (0xFFF1 << 40) | kind << 38 | rate << 34 | channels << 30 | length << 13
    return (header | 0x7FF << 2 | blocks).to_bytes(7, "big") + body


def bodies(stream: bytes) -> list[bytes]:
    found, at = [], 0
    while at < len(stream):
        length = int.from_bytes(stream[at + 3 : at + 6], "big") >> 5 & 0x1FFF
        found.append(stream[at + 7 : at + length])
        at += length
    return found


def flac_with(*blocks: tuple[int, bytes], stream: bytes | None = None, last: bool = True) -> bytes:
    """Return FLAC with other blocks of metadata, (kind, content), behind its STREAMINFO."""
    whole = encoded(tones(2, 48_000), ".flac") if stream is None else stream
    info, frames = whole[4:42], whole[_frames_at(whole) :]
    content = b"fLaC" + bytes([0 if blocks else 0x80]) + info[1:]
    for place, (kind, block) in enumerate(blocks, 1):
        final = 0x80 if last and place == len(blocks) else 0
        content += bytes([final | kind]) + len(block).to_bytes(3, "big") + block
    return content + frames


def _frames_at(whole: bytes) -> int:
    at, final = 4, False
    while not final:
        final = whole[at] >= 0x80
        at += 4 + int.from_bytes(whole[at + 1 : at + 4], "big")
    return at


def _flac() -> Iterator[Case]:
    own = tones(2, 48_000)
    plain = encoded(own, ".flac")
    yield good("FLAC of metadata", partial(flac_with, (1, bytes(10))), 2, heard=own)
    for name, total, remarks in (
        ("nothing", 0, ()),
        ("one sample", 1, (STATES,)),
        ("16 days", 2**36 - 1, (STATES,)),
    ):
        lying = bytearray(plain)
        lying[21] = lying[21] & 0xF0 | total >> 32
        lying[22:26] = struct.pack(">I", total & 0xFFFFFFFF)
        yield Case(
            f"FLAC that states {name}",
            partial(bytes, lying),
            seconds=(1.99, 2.01),
            heard=own,
            remarks=remarks,
        )
    for name, rate in (("0 Hz", 0), ("1 Hz", 1), ("655,350 Hz", 655_350)):
        lying = bytearray(plain)
        lying[18:20] = struct.pack(">H", rate >> 4)
        lying[20] = lying[20] & 0x0F | (rate & 15) << 4
        yield Case(f"FLAC that states {name}", partial(bytes, lying), remarks=None)
    for name, bits in (("4 bits", 4), ("24 bits", 24), ("32 bits", 32)):
        lying = bytearray(plain)
        lying[20] = lying[20] & 0xFE | (bits - 1) >> 4
        lying[21] = lying[21] & 0x0F | ((bits - 1) & 15) << 4
        yield bad(f"FLAC of 16 bits that states {name}", partial(bytes, lying), CORRUPT)
    lying = bytearray(plain)
    lying[20] |= 0x0E
    yield Case("FLAC of one channel that states eight", partial(bytes, lying), remarks=None)
    lying = bytearray(plain)
    lying[8:12] = struct.pack(">HH", 65_535, 16)
    yield bad("FLAC whose least block is above its largest", partial(bytes, lying), CORRUPT)
    broken = bytearray(plain)
    broken[26:42] = bytes(range(16))
    yield good("FLAC with another checksum", partial(bytes, broken), 2, heard=own)
    picture = (
        struct.pack(">II", 3, 9)
        + b"image/png"
        + struct.pack(">6I", 0, 1, 1, 24, 0, 10**7)
        + bytes(10**7)
    )
    yield good("FLAC with a picture of 10 MB", partial(flac_with, (6, picture)), 2, heard=own)
    liar = struct.pack(">II", 3, 9) + b"image/png" + struct.pack(">6I", 0, 1, 1, 24, 0, 2**32 - 1)
    yield good(
        "FLAC with a picture of 4 GB, by its header", partial(flac_with, (6, liar)), 2, heard=own
    )
    yield good(
        "FLAC with a type of picture of 4 GB",
        partial(flac_with, (6, struct.pack(">II", 3, 2**32 - 1))),
        2,
        heard=own,
    )
    cue = b"1" * 128 + struct.pack(">Q", 2**63) + bytes(259) + b"\xff" + NOISE[:300]
    yield bad("FLAC with a cue sheet of nonsense", partial(flac_with, (5, cue)), CORRUPT)
    points = struct.pack(">QQH", 2**64 - 1, 2**63, 0) * 600_000
    yield good("FLAC with 600,000 seek points", partial(flac_with, (3, points)), 2, heard=own)
    comments = struct.pack("<I", 0) + struct.pack("<I", 2**32 - 1)
    yield good(
        "FLAC with 4 billion comments, by its header",
        partial(flac_with, (4, comments)),
        2,
        heard=own,
    )
    many = struct.pack("<II", 0, 50_000) + (struct.pack("<I", 3) + b"a=b") * 50_000
    yield good("FLAC with 50,000 comments", partial(flac_with, (4, many)), 2, heard=own)
    yield good(
        "FLAC with 5,000 blocks of nothing", partial(flac_with, *[(1, b"")] * 5_000), 2, heard=own
    )
    yield good("FLAC with a forbidden block", partial(flac_with, (127, b"x")), 2, heard=own)
    yield bad("FLAC without a last block", partial(flac_with, (1, bytes(10)), last=False), CORRUPT)
    yield bad("FLAC without its head", partial(bytes, plain[_frames_at(plain) :]), UNSUPPORTED)
    yield bad("FLAC of metadata alone", partial(bytes, plain[: _frames_at(plain)]), CORRUPT)
    yield good("FLAC behind a tag", partial(bytes, tag(bytes(100)) + plain), 2, heard=own)
    yield Case("FLAC twice", partial(bytes, plain * 2), remarks=None, seconds=(2, 4.1))
    eight = tones(1, 48_000, 8)
    content = partial(written, eight, Kind("flac", "flac", sample_format="s16"))
    yield good("FLAC of eight channels", content, 1, heard=eight, shape=(48_000, 8))
    deep = partial(written, own, Kind("flac", "flac", sample_format="s32"))
    yield good("FLAC of 24 bits", deep, 2, heard=own)

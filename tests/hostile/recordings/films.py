"""MP4 and QuickTime files built box by box, and ASF: tables that lie, references, encryption."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from functools import partial
from typing import Any, Final

from pipeline.audio.samples import Samples
from tests.hostile.recordings.case import READ, Case, bad, good
from tests.hostile.recordings.waves import CORRUPT, PCM, RATE, TONES, UNSUPPORTED
from tests.pipeline.audio.recordings import KINDS, Kind, encoded, tones, written

OWN: Final = struct.pack(">I4sI", 12, b"url ", 1)  # the samples are in this file
MOST: Final = 2**32 - 1
EMPTY: Final = ("chunks of 4 billion samples", "chunks of no samples")
_MATRIX: Final = struct.pack(">9I", 0x10000, 0, 0, 0, 0x10000, 0, 0, 0, 0x40000000)


def box(kind: bytes, *content: bytes, size: int | None = None) -> bytes:
    body = b"".join(content)
    return struct.pack(">I", len(body) + 8 if size is None else size) + kind + body


def full(kind: bytes, *content: bytes) -> bytes:
    return box(kind, bytes(4), *content)


def table(kind: bytes, *rows: tuple[int, ...], count: int | None = None) -> bytes:
    """Return a table of 32-bit numbers, whose count may lie."""
    numbers = [number for row in rows for number in row]
    stated = len(rows) if count is None else count
    return full(kind, struct.pack(f">{len(numbers) + 1}I", stated, *numbers))


def entry(
    codec: bytes = b"sowt", rate: int = RATE, channels: int = 1, bits: int = 16, inner: bytes = b""
) -> bytes:
    return box(
        codec, bytes(6), struct.pack(">H8xHH4xI", 1, channels, bits, rate << 16 & MOST), inner
    )


def described(*entries: bytes) -> bytes:
    return full(b"stsd", struct.pack(">I", len(entries)), *entries)


def track(number: int = 1, data_at: int = 36, **own: Any) -> bytes:
    """Return a track of PCM. Each keyword is the content of one of its boxes."""
    frames = len(PCM) // 2
    parts: dict[str, Any] = {
        "edits": b"",
        "scale": RATE,
        "handler": b"soun",
        "header": full(b"smhd", bytes(4)),
        "dref": full(b"dref", struct.pack(">I", 1), OWN),
        "stsd": described(entry()),
        "stts": table(b"stts", (frames, 1)),
        "stsc": table(b"stsc", (1, frames, 1)),
        "stsz": full(b"stsz", struct.pack(">II", 2, frames)),
        "stco": table(b"stco", (data_at,)),
        "duration": frames,
    }
    parts |= own
    stbl = box(b"stbl", *(parts[name] for name in ("stsd", "stts", "stsc", "stsz", "stco")))
    minf = box(b"minf", parts["header"], box(b"dinf", parts["dref"]), stbl)
    media = box(
        b"mdia",
        full(b"mdhd", struct.pack(">4IHH", 0, 0, parts["scale"], parts["duration"], 0, 0)),
        full(b"hdlr", b"mhlr", parts["handler"], bytes(13)),
        minf,
    )
    head = struct.pack(">5I8xHHHH", 0, 0, number, 0, parts["duration"], 0, 0, 256, 0)
    return box(b"trak", box(b"tkhd", b"\0\0\0\7", head, _MATRIX, bytes(8)), parts["edits"], media)


def moov(*tracks: bytes, scale: int = 1_000, extra: bytes = b"") -> bytes:
    head = struct.pack(">4IIH10x", 0, 0, scale, 2_000, 0x10000, 0x100)
    return box(
        b"moov", full(b"mvhd", head, _MATRIX, bytes(24), struct.pack(">I", 99)), *tracks, extra
    )


def film(
    *tracks: bytes, data: bytes = PCM, scale: int = 1_000, extra: bytes = b"", after: bytes = b""
) -> bytes:
    """Return a QuickTime file: its samples are at 36, and the index behind them."""
    kind = box(b"ftyp", b"qt  ", bytes(4), b"qt  ") + box(b"free")
    return (
        kind + box(b"mdat", data) + moov(*(tracks or (track(),)), scale=scale, extra=extra) + after
    )


def changed(
    name: str, seconds: float, *remarks: str, heard: Samples | None = TONES, **own: Any
) -> Case:
    return good(name, partial(film, track(**own)), seconds, *remarks, heard=heard)


def cases() -> Iterator[Case]:
    yield from _structure()
    yield from _tables()
    yield from _references()
    yield from _encrypted()
    yield from _tracks()
    yield from _fragments()
    yield from _asf()


def _structure() -> Iterator[Case]:
    plain = film()
    yield good("MOV, index behind", partial(bytes, plain), 2, heard=TONES, shape=(RATE, 1))
    kind, index = box(b"ftyp", b"qt  ", bytes(4), b"qt  "), moov(track())
    ahead = kind + moov(track(data_at=len(kind) + len(index) + 8)) + box(b"mdat", PCM)
    yield good("MOV, index ahead", partial(bytes, ahead), 2, heard=TONES)
    yield good(
        "MOV that names no brand",
        partial(bytes, plain[20:].replace(struct.pack(">II", 1, 36), struct.pack(">II", 1, 16))),
        2,
        heard=TONES,
    )
    mdat = plain[: 36 + len(PCM)]
    yield bad("MOV without an index", partial(bytes, mdat), CORRUPT)
    yield Case("MOV with two indices", partial(bytes, plain + moov(track())), remarks=None)
    yield bad("MOV with an index of nothing", partial(bytes, mdat + box(b"moov")), "NoAudio")
    yield bad("MOV with an index of no tracks", partial(bytes, mdat + moov()), "NoAudio")
    for name, size in (("0 bytes", 0), ("7 bytes", 7), ("4 GB", MOST)):
        lying = mdat + struct.pack(">I", size) + index[4:]
        ends = {0: READ, 7: CORRUPT, MOST: READ}
        yield Case(f"MOV with an index of {name}", partial(bytes, lying), ends[size], remarks=None)
    wide = mdat + struct.pack(">I4sQ", 1, b"moov", 2**63 - 1) + index[8:]
    yield Case("MOV with an index of 2^63 bytes", partial(bytes, wide), remarks=None)
    deep = b""
    for _ in range(2_000):
        deep = box(b"trak", deep)
    yield bad(
        "MOV with 2,000 tracks in each other", partial(bytes, mdat + box(b"moov", deep)), "NoAudio"
    )
    yield good(
        "MOV with 50,000 empty boxes", partial(film, after=box(b"free") * 50_000), 2, heard=TONES
    )
    names = box(
        b"udta",
        box(b"meta", bytes(4), box(b"ilst", box(b"\xa9nam", box(b"data", bytes(8), b"x" * 10**6)))),
    )
    yield good("MOV with a name of 1 MB", partial(film, extra=names), 2, heard=TONES)
    cover = box(
        b"udta",
        box(
            b"meta",
            bytes(4),
            box(b"ilst", box(b"covr", box(b"data", struct.pack(">II", 13, 0), bytes(10**6)))),
        ),
    )
    yield good("MOV with a cover of 1 MB", partial(film, extra=cover), 2, heard=TONES)
    packed = box(b"cmov", box(b"dcom", b"zlib"), box(b"cmvd", struct.pack(">I", MOST), bytes(100)))
    yield bad(
        "MOV with an index of 4 GB, packed", partial(bytes, mdat + box(b"moov", packed)), CORRUPT
    )


def _tables() -> Iterator[Case]:
    frames = len(PCM) // 2
    states = "The file states"
    for scale in (0, MOST):
        yield good(
            f"MOV of {scale} units a second",
            partial(film, track(scale=scale)),
            15_360,
            "Missing sound of 15358",
            states,
        )
    yield Case(
        "MOV whose film has 0 units a second", partial(film, scale=0), remarks=None, heard=TONES
    )
    yield changed("MOV that states no duration", 2, states, duration=0)
    yield changed("MOV that states 6 days", 2, states, duration=MOST)
    altered: tuple[tuple[str, dict[str, Any], str], ...] = (
        ("4 billion sizes", {"stsz": full(b"stsz", struct.pack(">II", 2, MOST))}, READ),
        (
            "4 billion sizes that are not there",
            {"stsz": full(b"stsz", struct.pack(">II", 0, MOST))},
            CORRUPT,
        ),
        ("sizes of 4 GB", {"stsz": full(b"stsz", struct.pack(">II", MOST, 4))}, READ),
        (
            "samples of no bytes",
            {"stsz": full(b"stsz", struct.pack(f">II{frames}I", 0, frames, *[0] * frames))},
            READ,
        ),
        ("no sizes", {"stsz": b""}, READ),
        ("no times", {"stts": b""}, CORRUPT),
        ("4 billion times", {"stts": table(b"stts", (frames, 1), count=MOST)}, CORRUPT),
        ("times that stand still", {"stts": table(b"stts", (frames, 0))}, READ),
        ("times that leap", {"stts": table(b"stts", (frames, MOST))}, READ),
        ("too few times", {"stts": table(b"stts", (10, 1))}, READ),
        ("chunks of 4 billion samples", {"stsc": table(b"stsc", (1, MOST, 1))}, READ),
        ("chunks of no samples", {"stsc": table(b"stsc", (1, 0, 1))}, READ),
        ("chunks that begin at 0", {"stsc": table(b"stsc", (0, frames, 1))}, READ),
        ("chunks of another entry", {"stsc": table(b"stsc", (1, frames, 99))}, READ),
        ("no chunks", {"stsc": b""}, CORRUPT),
        ("4 billion chunks", {"stco": table(b"stco", (36,), count=MOST)}, READ),
        ("a chunk behind the end", {"stco": table(b"stco", (10**9,))}, CORRUPT),
        ("a chunk of headers", {"stco": table(b"stco", (0,))}, READ),
        ("no places", {"stco": b""}, CORRUPT),
        ("no entries", {"stsd": full(b"stsd", struct.pack(">I", 0))}, CORRUPT),
        ("4 billion entries", {"stsd": full(b"stsd", struct.pack(">I", MOST), entry())}, CORRUPT),
        ("an entry of 0 Hz", {"stsd": described(entry(rate=0))}, READ),
        ("an entry of 1 Hz", {"stsd": described(entry(rate=1))}, UNSUPPORTED),
        ("an entry of 0 channels", {"stsd": described(entry(channels=0))}, CORRUPT),
        ("an entry of 33 channels", {"stsd": described(entry(channels=33))}, UNSUPPORTED),
        ("an entry of 65,535 bits", {"stsd": described(entry(bits=65_535))}, READ),
        ("a codec of no name", {"stsd": described(entry(b"\0\0\0\0"))}, READ),
        ("a codec of nobody", {"stsd": described(entry(b"nope"))}, UNSUPPORTED),
        ("AAC without a description", {"stsd": described(entry(b"mp4a"))}, CORRUPT),
    )
    for name, own, end in altered:
        span = (0.0, 0.01) if name in EMPTY else (1.9, 2.1)
        yield Case(f"MOV with {name}", partial(film, track(**own)), end, span, remarks=None)
    for name, rows, seconds in (
        ("that begins later", ((1_000, RATE, 0x10000),), 1),
        ("an hour of nothing", ((3_600_000, MOST, 0x10000), (2_000, 0, 0x10000)), 2),
        ("at no speed", ((2_000, 0, 0),), 2),
        ("20,000 of them", ((1, 0, 0x10000),) * 20_000, 2_560),
        ("before the beginning", ((2_000, 2**31, 0x10000),), 0),
    ):
        edits = box(b"edts", table(b"elst", *rows))
        end = READ if seconds else CORRUPT
        yield Case(
            f"MOV with an edit list: {name}",
            partial(film, track(edits=edits)),
            end,
            (seconds * 0.99, seconds * 1.01),
            remarks=None,
        )
    edits = box(b"edts", table(b"elst", (1, 0, 1), count=MOST))
    yield Case(
        "MOV with 4 billion edits",
        partial(film, track(edits=edits)),
        seconds=(0.1, 0.2),
        remarks=None,
    )


def _references() -> Iterator[Case]:
    """The samples are said to be in another file."""
    for name in (
        "file:///etc/passwd",
        "/etc/passwd",
        "http://127.0.0.1:9/x",
        "../../../../etc/passwd",
        "pipe:0",
    ):
        where = full(b"url ", name.encode() + b"\0")
        dref = full(b"dref", struct.pack(">I", 1), where)
        yield Case(
            f"MOV with its sound at {name}",
            partial(film, track(dref=dref)),
            remarks=None,
            heard=TONES,
        )
    path = b"/etc/passwd"
    alias = full(
        b"alis",
        bytes(4),
        struct.pack(">HHH", 200, 2, 0),
        b"\4disk".ljust(28, b"\0"),
        bytes(12),
        b"\6passwd".ljust(64, b"\0"),
        bytes(16),
        struct.pack(">hh", 1, 1),
        bytes(16),
        struct.pack(">HH", 2, len(path)),
        path,
        b"\0",
        struct.pack(">HH", 18, len(path)),
        path,
        b"\0\xff\xff\0\0",
    )
    dref = full(b"dref", struct.pack(">I", 1), alias)
    yield bad("MOV with an alias of its sound", partial(film, track(dref=dref)), CORRUPT)
    dref = full(b"dref", struct.pack(">I", MOST), OWN)
    yield Case(
        "MOV with 4 billion references", partial(film, track(dref=dref)), CORRUPT, remarks=None
    )
    reference = box(
        b"rmra", box(b"rmda", full(b"rdrf", b"url ", struct.pack(">I", 12), b"/etc/passwd\0"))
    )
    yield bad(
        "MOV that is another film",
        partial(bytes, box(b"ftyp", b"qt  ", bytes(4)) + box(b"moov", reference)),
        "NoAudio",
    )


def sinf(original: bytes, scheme: bytes = b"cenc") -> bytes:
    return box(
        b"sinf",
        box(b"frma", original),
        full(b"schm", scheme, struct.pack(">I", 0x10000)),
        box(b"schi", full(b"tenc", bytes(2), b"\1\x08", bytes(range(16)))),
    )


def _encrypted() -> Iterator[Case]:
    for scheme in (b"cenc", b"cbcs"):
        stsd = described(entry(b"enca", inner=sinf(b"sowt", scheme)))
        yield bad(f"MOV in {scheme.decode()}", partial(film, track(stsd=stsd)), UNSUPPORTED)
    m4a = encoded(tones(2, 48_000), ".m4a")
    at = m4a.index(b"mp4a") - 4
    (size,) = struct.unpack_from(">I", m4a, at)
    for kind in (b"enca", b"drms", b"aavd"):
        yield bad(
            f"M4A whose entry is {kind.decode()}",
            partial(bytes, _grown(m4a, at, size, kind, sinf(b"mp4a"))),
            UNSUPPORTED,
        )
    pssh = full(b"pssh", bytes(16), struct.pack(">I", 2**31))
    yield bad("MOV with a key of 2 GB", partial(film, extra=pssh), CORRUPT)


def _grown(m4a: bytes, at: int, size: int, kind: bytes, inner: bytes) -> bytes:
    """Return a file with another kind of entry that has another box, and all sizes around it."""
    content = bytearray(m4a)
    content[at + 4 : at + 8] = kind
    content[at + size : at + size] = inner
    for name in (b"moov", b"trak", b"mdia", b"minf", b"stbl", b"stsd"):
        place = m4a.index(name) - 4
        (old,) = struct.unpack_from(">I", content, place)
        struct.pack_into(">I", content, place, old + len(inner))
    struct.pack_into(">I", content, at, size + len(inner))
    return bytes(content)


def _tracks() -> Iterator[Case]:
    many = tuple(track(number) for number in range(1, 2_001))
    yield bad("MOV of 2,000 tracks", partial(film, *many), CORRUPT)
    yield good(
        "MOV of 900 tracks", partial(film, *many[:900]), 2, "has 900 sound tracks", heard=TONES
    )
    yield good(
        "MOV of two tracks of one number",
        partial(film, track(1), track(1)),
        2,
        "The file has 2 sound tracks",
        heard=TONES,
    )
    own = tones(2, 48_000)
    for suffix in (".mp4", ".mov", ".mkv"):
        content = partial(written, own, KINDS[suffix], film=True, tracks=0)
        yield Case(f"{suffix[1:].upper()} of pictures alone", content, seconds=(0, 0), shape=(0, 0))
    for handler in (b"text", b"sbtl", b"subt", b"meta", b"tmcd", b"\0\0\0\0"):
        content = partial(
            film,
            track(handler=handler, stsd=described(box(b"tx3g", bytes(30)))),
        )
        yield bad(f"MOV of {handler!r} alone", content, "NoAudio")
    cover = box(
        b"udta",
        box(
            b"meta",
            bytes(4),
            full(b"hdlr", bytes(4), b"mdir", bytes(13)),
            box(
                b"ilst",
                box(
                    b"covr",
                    box(b"data", struct.pack(">II", 13, 0), b"\xff\xd8\xff\xe0" + bytes(1_000)),
                ),
            ),
        ),
    )
    plain = film()
    yield bad(
        "M4A of a cover alone",
        partial(bytes, plain[: 36 + len(PCM)] + moov(extra=cover)),
        "NoAudio",
    )


def _fragments() -> Iterator[Case]:
    options = {"movflags": "frag_keyframe+empty_moov+default_base_moof"}
    own = tones(2, 48_000)
    whole = written(own, KINDS[".mp4"], options=options)
    yield Case("MP4 in fragments", partial(bytes, whole), seconds=(1.9, 2.1), remarks=None)
    at = whole.index(b"trun")
    for count in (0, 2**20, 2**24, 2**26, 2**31 - 1, MOST):
        lying = bytearray(whole)
        struct.pack_into(">I", lying, at + 8, count)
        yield bad(f"MP4 with a fragment of {count} samples", partial(bytes, lying), CORRUPT)
    at = whole.index(b"tfdt")
    lying = bytearray(whole)
    lying[at + 8 : at + 12] = b"\x7f\xff\xff\xff"
    yield Case("MP4 with a fragment in a year", partial(bytes, lying), remarks=None)


def _asf() -> Iterator[Case]:
    whole = written(tones(2, 44_100), Kind("asf", "wmav2", rate=44_100))
    yield Case("WMA", partial(bytes, whole), seconds=(1.9, 2.1))
    drm = bytes.fromhex("fbb3112223bdd211b4b700a0c955fc6e")
    extended = bytes.fromhex("14e68a292226174cb935dae07ee9289c")
    for name, guid in (("DRM", drm), ("extended DRM", extended)):
        inner = (
            guid
            + struct.pack("<Q", 60)
            + struct.pack("<I", 4)
            + b"key\0"
            + struct.pack("<I", 4)
            + b"DRM\0"
            + bytes(20)
        )
        yield bad(f"WMA with {name}", partial(bytes, _with_object(whole, inner)), UNSUPPORTED)
    for name, size in (("4 GB", 2**32), ("2^63 bytes", 2**63), ("no bytes", 0)):
        lying = whole[:16] + struct.pack("<Q", size) + whole[24:]
        yield Case(f"WMA with a head of {name}", partial(bytes, lying), remarks=None)
    lying = _with_object(whole, bytes(16) + struct.pack("<Q", 2**62))
    yield Case("WMA with an object of 2^62 bytes", partial(bytes, lying), CORRUPT, remarks=None)
    properties = bytes.fromhex("a1dcab8c47a9cf118ee400c00c205365")
    at = whole.index(properties)
    for name, offset, number in (
        ("a duration of a year", 64, struct.pack("<Q", 2**63)),
        ("4 billion packets", 56, struct.pack("<Q", MOST)),
        ("packets of 4 GB", 92, struct.pack("<II", MOST, MOST)),
        ("packets of no bytes", 92, bytes(8)),
        ("a preroll of a year", 80, struct.pack("<Q", 2**62)),
    ):
        lying = whole[: at + offset] + number + whole[at + offset + len(number) :]
        end = CORRUPT if name.startswith("packets") else READ
        yield Case(f"WMA with {name}", partial(bytes, lying), end, remarks=None)


def _with_object(asf: bytes, inner: bytes) -> bytes:
    size, count = struct.unpack_from("<QI", asf, 16)
    head = asf[:16] + struct.pack("<QI", size + len(inner), count + 1) + asf[28:30]
    return head + inner + asf[30:]

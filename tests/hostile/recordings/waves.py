"""WAVE files of any shape: headers that lie, odd samples, and their larger and older relatives."""

from __future__ import annotations

import io
import struct
from collections.abc import Iterator
from functools import partial
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import soundfile

from tests.hostile.recordings.case import Case, bad, good
from tests.pipeline.audio.recordings import Kind, tones, written

CORRUPT, UNSUPPORTED = "CorruptMedia", "UnsupportedMedia"
RATE: Final = 8_000
TONES: Final = tones(2, RATE)
PCM: Final = (TONES * 32_767).astype("<i2").tobytes()
_SUBFORMAT: Final = b"\0\0\0\0\x10\0\x80\0\0\xaa\0\x38\x9b\x71"  # of a GUID, after the tag


def wave(  # noqa: PLR0913 - every field may lie
    data: bytes = PCM,
    *,
    tag: int = 1,
    channels: int = 1,
    rate: int = RATE,
    bits: int = 16,
    align: int | None = None,
    extra: bytes = b"",
    size: int | None = None,
    whole: int | None = None,
    before: bytes = b"",
    after: bytes = b"",
) -> bytes:
    """Return a WAVE file; every field may lie."""
    block = channels * bits // 8 % 2**16 if align is None else align
    form = struct.pack("<HHIIHH", tag, channels, rate, rate * block % 2**32, block, bits) + extra
    stated = len(data) if size is None else size
    body = b"WAVE" + chunk(b"fmt ", form) + before + b"data" + struct.pack("<I", stated) + data
    body += after
    return b"RIFF" + struct.pack("<I", len(body) if whole is None else whole) + body


def chunk(name: bytes, content: bytes, size: int | None = None) -> bytes:
    stated = len(content) if size is None else size
    return name + struct.pack("<I", stated) + content + b"\0" * (len(content) % 2)


def saved(samples: npt.NDArray[Any], rate: int = RATE, **options: str) -> bytes:
    file = io.BytesIO()
    soundfile.write(file, samples, rate, **{"format": "WAV", "subtype": "PCM_16", **options})
    return file.getvalue()


def cases() -> Iterator[Case]:
    yield from _shapes()
    yield from _samples()
    yield from _codecs()
    yield from _sizes()
    yield from _relatives()


def _shapes() -> Iterator[Case]:
    for rate, end in (
        (0, CORRUPT),
        (1, UNSUPPORTED),
        (3_999, UNSUPPORTED),
        (192_001, UNSUPPORTED),
        (384_000, UNSUPPORTED),
        (2**31 - 1, UNSUPPORTED),
        (2**31, CORRUPT),
        (4 * 10**9, CORRUPT),
    ):
        yield bad(f"WAV of {rate} Hz", partial(wave, rate=rate), end)
    for rate in (4_000, 192_000):
        own = tones(1, rate)
        content = partial(saved, own, rate)
        yield good(f"WAV of {rate} Hz", content, 1, shape=(rate, 1), heard=own)
    for channels, end in ((0, CORRUPT), (33, UNSUPPORTED), (255, UNSUPPORTED), (65_535, CORRUPT)):
        yield bad(f"WAV of {channels} channels", partial(wave, channels=channels), end)
    own = tones(1, RATE, 8)
    yield good("WAV of 8 channels", partial(saved, own), 1, shape=(RATE, 8), heard=own)
    own = tones(1, RATE, 32)
    yield good("WAV of 32 channels", partial(saved, own), 1, shape=(RATE, 32))
    yield bad(
        "WAV of 9 channels to be denoised",
        partial(saved, tones(1, RATE, 9)),
        UNSUPPORTED,
        options={"denoise": True},
    )
    yield bad(
        "WAV of 100,001 Hz to be denoised",
        partial(saved, tones(1, 100_001), 100_001),
        UNSUPPORTED,
        options={"denoise": True},
    )


def _samples() -> Iterator[Case]:
    for subtype, error in (
        ("PCM_U8", 1e-3),
        ("PCM_24", 1e-6),
        ("PCM_32", 1e-6),
        ("FLOAT", 1e-6),
        ("DOUBLE", 1e-6),
        ("ALAW", 1e-2),
        ("ULAW", 1e-2),
        ("IMA_ADPCM", 0.05),
        ("MS_ADPCM", 0.05),
        ("GSM610", 0.2),
    ):
        content = partial(saved, TONES, subtype=subtype)
        yield good(f"WAV in {subtype}", content, 2, heard=TONES, error=error)
    for value, loudest in (("nan", 0.0), ("inf", 0.0), ("-inf", 0.0), ("1e38", 1.0)):
        own = np.full((4_000, 1), float(value), np.float32)
        remark = () if value == "1e38" else ("no numbers, and are silence now: 4,000",)
        yield good(
            f"WAV of nothing but {value}",
            partial(saved, own, subtype="FLOAT"),
            0.5,
            *remark,
            heard=np.full((4_000, 1), loudest, np.float32),
        )
    for name, number in (("1e300", 1e300), ("a denormal", 5e-324)):
        doubles = np.full((4_000, 1), number)
        heard = np.full((4_000, 1), min(number, 1), np.float32)
        content = partial(saved, doubles, subtype="DOUBLE")
        yield good(f"WAV of nothing but {name}", content, 0.5, heard=heard)
    noise = np.random.default_rng(0).bytes(32_000)
    yield Case(
        "WAV of random floats",
        partial(wave, noise, tag=3, bits=32),
        seconds=(0.9, 1.1),
        remarks=None,
    )
    for bits, end in ((0, UNSUPPORTED), (64, UNSUPPORTED), (65_535, UNSUPPORTED)):
        yield bad(f"WAV of {bits} bits", partial(wave, bits=bits, align=2), end)
    yield good("WAV of 1 bit, which takes a byte", partial(wave, bits=1, align=2), 4)
    twelve = (TONES * 2_047).astype("<i2") << 4  # RIFF has 12 bits in the upper part of 16
    content = partial(wave, twelve.tobytes(), bits=12, align=2)
    yield good("WAV of 12 bits", content, 2, heard=TONES, error=1e-3)
    for frames in (1, 2, 100):
        content = partial(wave, PCM[: 2 * frames])
        yield Case(f"WAV of {frames} samples", content, shape=(RATE, 1), seconds=(0, 0.02))


def _codecs() -> Iterator[Case]:
    for tag, name, end in (
        (0x0000, "no codec", UNSUPPORTED),
        (0x0011, "IMA with nothing said", CORRUPT),
        (0x0045, "G.726", UNSUPPORTED),
        (0x0055, "MP3 that is none", CORRUPT),
        (0x0092, "AC-3 in a SPDIF", UNSUPPORTED),
        (0x00FF, "AAC that is none", CORRUPT),
        (0x0161, "WMA 2 that is none", CORRUPT),
        (0x0162, "WMA Pro that is none", CORRUPT),
        (0x0270, "ATRAC 3", UNSUPPORTED),
        (0x2000, "AC-3 that is none", CORRUPT),
        (0x6750, "Vorbis that is none", UNSUPPORTED),
        (0xF1AC, "FLAC that is none", CORRUPT),
        (0xFFFF, "codec 65,535", UNSUPPORTED),
    ):
        yield bad(f"WAV of {name}", partial(wave, tag=tag, align=64), end)
    yield good("WAV of MP3", partial(written, tones(2, 48_000), Kind("wav", "libmp3lame")), 2)
    guid = struct.pack("<HHI", 22, 16, 4) + struct.pack("<H", 1) + _SUBFORMAT
    yield good(
        "WAV, extensible", partial(wave, tag=0xFFFE, extra=guid), 2, heard=TONES, shape=(RATE, 1)
    )
    for name, extra in {
        "of an unknown GUID": struct.pack("<HHI", 22, 16, 4) + b"\xee" * 16,
        "with 65,535 of 16 bits": struct.pack("<HHIH", 22, 65_535, 4, 1) + _SUBFORMAT,
        "of an unknown tag": struct.pack("<HHIH", 22, 16, 4, 0xEEEE) + _SUBFORMAT,
    }.items():
        yield bad(f"WAV, extensible, {name}", partial(wave, tag=0xFFFE, extra=extra), UNSUPPORTED)
    for name, extra in {
        "with all loudspeakers": struct.pack("<HHIH", 22, 16, 2**32 - 1, 1) + _SUBFORMAT,
    }.items():
        yield good(f"WAV, extensible, {name}", partial(wave, tag=0xFFFE, extra=extra), 2)


def _sizes() -> Iterator[Case]:
    yield good("WAV whose size is 4 GB", partial(wave, size=2**32 - 1), 2)
    yield good("WAV whose size is 3 GB", partial(wave, size=3 * 10**9), 2)
    yield good("WAV that states a byte more", partial(wave, size=len(PCM) + 1), 2)
    yield good("WAV that states a byte less", partial(wave, size=len(PCM) - 1), 2)
    yield good("WAV whose file size is 0", partial(wave, whole=0), 2, heard=TONES)
    yield good("WAV whose file size is 4 GB", partial(wave, whole=2**32 - 1), 2, heard=TONES)
    yield good("WAV of an odd number of bytes", partial(wave, PCM + b"\1"), 2)
    yield bad("WAV with no byte of sound", partial(wave, b""), CORRUPT)
    yield bad("WAV with one byte of sound", partial(wave, b"\1"), CORRUPT)
    yield bad("WAV without sound", partial(bytes, wave()[:36]), CORRUPT)
    yield bad("WAV without a format", partial(bytes, wave()[:12] + wave()[36:]), CORRUPT)
    yield bad("WAV whose blocks have no bytes", partial(wave, align=0, bits=0), UNSUPPORTED)
    lists = chunk(b"LIST", b"INFO" + chunk(b"INAM", b"x" * 10**6))
    yield good("WAV with a name of 1 MB", partial(wave, before=lists), 2, heard=TONES)
    yield good(
        "WAV with 20,000 empty chunks", partial(wave, before=chunk(b"junk", b"") * 20_000), 2
    )
    yield bad(
        "WAV with a chunk of 4 GB", partial(wave, before=chunk(b"junk", b"", 2**32 - 1)), CORRUPT
    )
    yield good("WAV with a second format", partial(wave, after=wave(rate=1)[12:36]), 2)
    yield good("WAV with text behind it", partial(wave, after=b"{}" * 5_000), 2, heard=TONES)
    noise = np.random.default_rng(0).bytes(40)
    yield good("WAV with nonsense of a broadcaster", partial(wave, before=chunk(b"bext", noise)), 2)


def _relatives() -> Iterator[Case]:
    for form in ("RF64", "W64"):
        content = saved(TONES, format=form)
        yield good(f"{form}", partial(bytes, content), 2, heard=TONES)
        at = content.index(b"data") + (4 if form == "W64" else 0)
        for size in (2**63, 2**64 - 1):
            lying = bytearray(content)
            if form == "RF64":
                ds64 = content.index(b"ds64") + 16
                lying[ds64 : ds64 + 8] = struct.pack("<Q", size)
            else:
                lying[at + 12 : at + 20] = struct.pack("<Q", size)
            yield bad(f"{form} of {size} bytes", partial(bytes, lying), CORRUPT)
    rf64 = saved(TONES, format="RF64")
    at = rf64.index(b"ds64")
    yield bad(
        "RF64 without its sizes", partial(bytes, rf64[:at] + b"junk" + rf64[at + 4 :]), CORRUPT
    )
    yield bad("RIFX", partial(saved, TONES, endian="BIG"), UNSUPPORTED)
    for form, subtype in (
        ("AIFF", "PCM_16"),
        ("AU", "PCM_16"),
        ("CAF", "PCM_16"),
        ("VOC", "PCM_16"),
        ("NIST", "PCM_16"),
        ("IRCAM", "PCM_16"),
        ("RAW", "PCM_16"),
    ):
        yield bad(f"{form}", partial(saved, TONES, format=form, subtype=subtype), UNSUPPORTED)

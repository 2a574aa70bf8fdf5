"""Only a small grey PNG of one exact size is one, and no bomb is unpacked to find out."""

from __future__ import annotations

import io
import struct
import tracemalloc
import zlib
from typing import Final

import numpy as np
import pytest
from PIL import Image

from pipeline.photo.encoding import encode
from pipeline.photo.grey_png import require_grey_png

LEVELS: Final = np.arange(20 * 30, dtype=np.uint32).reshape(20, 30).astype(np.uint8)
GOOD: Final = encode(LEVELS, picture_format="png")
SIGNATURE: Final = GOOD[:8]


def chunk(kind: bytes, body: bytes = b"") -> bytes:
    checksum = zlib.crc32(kind + body)
    return len(body).to_bytes(4, "big") + kind + body + checksum.to_bytes(4, "big")


def header(width: int = 30, *, lace: int = 0) -> bytes:
    return chunk(b"IHDR", struct.pack(">IIBBBBB", width, 20, 8, 0, 0, 0, lace))


def made(*chunks: bytes) -> bytes:
    return SIGNATURE + b"".join(chunks)


ROWS: Final = zlib.compress(bytes(31) * 20)
IDAT: Final = chunk(b"IDAT", ROWS)
IEND: Final = chunk(b"IEND")


def check(content: bytes) -> None:
    require_grey_png(content, width=30, height=20)


def saved(image: Image.Image) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, "PNG")
    return buffer.getvalue()


def test_ours_and_pillows_are_accepted() -> None:
    check(GOOD)
    check(saved(Image.fromarray(LEVELS)))
    check(made(header(), IDAT, IEND))
    check(made(header(), chunk(b"IDAT", ROWS[:9]), chunk(b"IDAT", ROWS[9:]), IEND))


HOSTILE: Final = {
    "nothing": b"",
    "text": b"no picture",
    "another format": b"GIF89a" + GOOD,
    "another size": made(header(31), IDAT, IEND),
    "turned": encode(np.ascontiguousarray(LEVELS.T), picture_format="png"),
    "16 bits": saved(Image.fromarray(LEVELS.astype(np.uint16))),
    "colour": saved(Image.fromarray(LEVELS).convert("RGB")),
    "alpha": saved(Image.fromarray(LEVELS).convert("LA")),
    "palette": saved(Image.fromarray(LEVELS).convert("P")),
    "1 bit": saved(Image.fromarray(LEVELS).convert("1")),
    "interlaced": made(header(lace=1), IDAT, IEND),
    "bytes after the end": GOOD + b"x",
    "a second picture after the end": GOOD + GOOD,
    "no end": GOOD[:-12],
    "cut off": GOOD[:-20],
    "no pixels": made(header(), IEND),
    "no header": made(IDAT, IEND),
    "a text": made(header(), chunk(b"tEXt", b"a\0b"), IDAT, IEND),
    "a wrong checksum": GOOD[:-14] + b"xx" + GOOD[-12:],
    "a length beyond the end": made(header(), b"\xff\xff\xff\xff" + IDAT[4:], IEND),
    "too few rows": made(header(), chunk(b"IDAT", zlib.compress(bytes(31) * 19)), IEND),
    "too many rows": made(header(), chunk(b"IDAT", zlib.compress(bytes(31) * 21)), IEND),
    "an unfinished stream": made(header(), chunk(b"IDAT", ROWS[:-4]), IEND),
    "bytes after the stream": made(header(), chunk(b"IDAT", ROWS + b"x"), IEND),
    "no stream": made(header(), chunk(b"IDAT", b"\0\1\2\3"), IEND),
    "an unknown filter": made(header(), chunk(b"IDAT", zlib.compress(b"\5" * 620)), IEND),
}  # fmt: skip


@pytest.mark.parametrize("what", HOSTILE)
def test_anything_else_is_refused(what: str) -> None:
    with pytest.raises(ValueError, match="should"):
        check(HOSTILE[what])


def test_a_bomb_is_not_unpacked() -> None:
    packer = zlib.compressobj(9)
    bomb = b"".join(packer.compress(bytes(2**20)) for _ in range(256)) + packer.flush()
    content = made(header(), chunk(b"IDAT", bomb), IEND)
    tracemalloc.start()

    with pytest.raises(ValueError, match="exactly the pixels"):
        check(content)

    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 4 * len(content)

"""Write small ICC profiles: three primaries or grey, and curves from numbers to light.

Version 4, as ICC.1:2010 describes it. Pillow's ImageCms reads profiles but builds none of these.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from typing import Final

import numpy as np
import numpy.typing as npt

# One number is an exponent. Five (g, a, b, c, d) are (a·x + b)^g from x = d, and c·x below.
# More are evenly spaced samples from 0 to 1.
Curve = tuple[float, ...]
Matrix = npt.NDArray[np.float64]

D50: Final = (0.9642, 1.0, 0.8249)
_BRADFORD: Final = np.array(
    [[0.8951, 0.2664, -0.1614], [-0.7502, 1.7135, 0.0367], [0.0389, -0.0685, 1.0296]]
)
_PIECEWISE: Final = 5
_COLORANTS: Final = (b"rXYZ", b"gXYZ", b"bXYZ")
_CURVES: Final = (b"rTRC", b"gTRC", b"bTRC")
_HEADER_BYTES: Final = 128


def rgb_profile(name: str, to_xyz: Matrix, white: Matrix, curves: Sequence[Curve]) -> bytes:
    """Build a profile of RGB: a 3×3 matrix from linear RGB to XYZ, and a curve for each channel.

    `white` is the XYZ of RGB's white, whose Y is 1.
    """
    adapted = _to_d50(white)
    tags = {b"chad": b"sf32" + bytes(4) + _numbers(adapted.ravel())}
    for tag, column in zip(_COLORANTS, (adapted @ to_xyz).T, strict=True):
        tags[tag] = _xyz(column)
    for tag, curve in zip(_CURVES, curves, strict=True):
        tags[tag] = _curve(curve)
    return _profile(b"RGB ", name, tags)


def grey_profile(name: str, curve: Curve) -> bytes:
    """Build a profile of grey with a curve from 0…1 to light."""
    return _profile(b"GRAY", name, {b"kTRC": _curve(curve)})


def _to_d50(white: Matrix) -> Matrix:
    """Return Bradford's adaptation from a white to D50, the white of every profile."""
    scales = (_BRADFORD @ np.array(D50)) / (_BRADFORD @ white)
    adapted: Matrix = np.linalg.inv(_BRADFORD) @ np.diag(scales) @ _BRADFORD
    return adapted


def _profile(space: bytes, name: str, tags: dict[bytes, bytes]) -> bytes:
    described = {b"desc": _text(name), b"cprt": _text("No copyright"), b"wtpt": _xyz(D50), **tags}
    at = _HEADER_BYTES + 4 + 12 * len(described)
    index, body = struct.pack(">I", len(described)), b""
    placed: dict[bytes, int] = {}
    for tag, content in described.items():
        start = placed.get(content)
        if start is None:
            start = placed[content] = at + len(body)
            body += content + bytes(-len(content) % 4)
        index += tag + struct.pack(">II", start, len(content))
    header = struct.pack(">I4x4s4s4s4s", at + len(body), b"\4\x30\0\0", b"mntr", space, b"XYZ ")
    header += bytes(12) + b"acsp" + bytes(28) + _numbers(D50)
    return header.ljust(_HEADER_BYTES, b"\0") + index + body


def _text(text: str) -> bytes:
    encoded = text.encode("utf-16-be")
    return b"mluc" + struct.pack(">4xII4sII", 1, 12, b"enUS", len(encoded), 28) + encoded


def _xyz(colour: Sequence[float] | Matrix) -> bytes:
    return b"XYZ " + bytes(4) + _numbers(colour)


def _curve(curve: Curve) -> bytes:
    if len(curve) <= _PIECEWISE:
        kind = 3 if len(curve) == _PIECEWISE else 0
        return b"para" + struct.pack(">4xH2x", kind) + _numbers(curve)
    samples = np.clip(np.round(np.array(curve) * 0xFFFF), 0, 0xFFFF).astype(">u2")
    return b"curv" + struct.pack(">4xI", len(samples)) + samples.tobytes()


def _numbers(values: Sequence[float] | Matrix) -> bytes:
    """Encode numbers with 16 bits before and 16 after the point."""
    return b"".join(struct.pack(">i", round(value * 65536)) for value in values)

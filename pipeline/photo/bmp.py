"""BMP: read the colours that headers of version 4 and 5 state, which Pillow skips."""

from __future__ import annotations

import struct
from typing import Final

from PIL import Image

from pipeline.errors import UnsupportedMedia
from pipeline.photo.colour.meaning import Meaning
from pipeline.photo.colour.spaces import D65, Chromaticities, from_numbers
from pipeline.photo.limits import MAX_PROFILE_BYTES, require_profile_bytes

_START: Final = 14  # the header's offset
_VERSION_4, _VERSION_5 = 108, 124  # bytes of the header
_KIND: Final = _START + 56
_CALIBRATED, _EMBEDDED, _LINKED = 0, int.from_bytes(b"MBED"), int.from_bytes(b"LINK")
_WHOLE: Final = 2**30  # endpoints have 30 bits after the point, gammas 16
_NEAR: Final = 0.02


def read_meaning(_image: Image.Image, content: bytes) -> Meaning:
    """Return the embedded profile, or the endpoints and gammas of the header.

    Raises UnsupportedMedia if the profile is in another file, MediaTooLarge above the limit.
    """
    size = int.from_bytes(content[_START : _START + 4], "little")
    if not _VERSION_4 <= size <= len(content) - _START:
        return Meaning()
    (kind,) = struct.unpack_from("<I", content, _KIND)
    if size >= _VERSION_5 and kind in {_EMBEDDED, _LINKED}:
        offset, length = struct.unpack_from("<II", content, _START + 112)
        profile = content[_START + offset :][: min(length, MAX_PROFILE_BYTES + 1)]
        if kind == _EMBEDDED:
            require_profile_bytes(len(profile), "BMP")
            return Meaning((profile,))
        name = profile.split(b"\0")[0].decode("latin-1")
        if "srgb" not in name.lower():
            raise UnsupportedMedia(f"a BMP whose colour profile is in another file: {name[:80]!r}")
    return _calibrated(content) if kind == _CALIBRATED else Meaning()


def _calibrated(content: bytes) -> Meaning:
    """Return the header's own colours; endpoints are chromaticities with D65, or XYZ with white."""
    numbers = struct.unpack_from("<9i3I", content, _KIND + 4)
    ends = [tuple(part / _WHOLE for part in numbers[at : at + 3]) for at in (0, 3, 6)]
    gammas = [gamma / 2**16 for gamma in numbers[9:]]
    sums = [sum(end) for end in ends]
    if min(sums) <= 0 or min(gammas) <= 0:
        return Meaning()  # most writers leave them 0
    red, green, blue = ((x / total, y / total) for (x, y, _), total in zip(ends, sums, strict=True))
    white = D65
    if any(abs(total - 1) > _NEAR for total in sums):
        x, y, _ = (sum(parts) / sum(sums) for parts in zip(*ends, strict=True))
        white = x, y
    curves = [(gamma,) for gamma in gammas]
    stated = from_numbers(Chromaticities(white, red, green, blue), curves)
    return Meaning((stated,) if stated else ())

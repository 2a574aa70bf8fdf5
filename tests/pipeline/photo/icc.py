"""Small colour profiles of the two colour spaces that Pillow cannot build profiles for."""

from __future__ import annotations

import struct


def linear_grey() -> bytes:
    """Build a profile of linear grey: half of 255 is half the light."""
    white = b"XYZ " + bytes(4) + struct.pack(">3i", 63190, 65536, 54061)
    straight_line = b"curv" + bytes(4) + struct.pack(">I", 0)
    return _profile(b"GRAY", b"XYZ ", {b"wtpt": white, b"kTRC": straight_line})


def colourless_press() -> bytes:
    """Build a CMYK profile without colour: paper is white, black is black, other inks are L* 50."""
    identity = struct.pack(">9i", 65536, 0, 0, 0, 65536, 0, 0, 0, 65536)
    ramp = bytes(range(256))
    paper, black, ink = bytes([255, 128, 128]), bytes([0, 128, 128]), bytes([128, 128, 128])
    table = paper + black + (ink + black) * 7
    lookup = b"mft1" + bytes(4) + bytes([4, 3, 2, 0]) + identity + ramp * 4 + table + ramp * 3
    return _profile(b"CMYK", b"Lab ", {b"A2B0": lookup})


def _profile(space: bytes, connection: bytes, tags: dict[bytes, bytes]) -> bytes:
    index, body = struct.pack(">I", len(tags)), b""
    start = 128 + 4 + 12 * len(tags)
    for name, content in tags.items():
        index += name + struct.pack(">2I", start + len(body), len(content))
        body += content + bytes(-len(content) % 4)
    size = struct.pack(">I", start + len(body))
    header = size + bytes(4) + bytes([2, 0x40, 0, 0]) + b"prtr" + space + connection
    header += bytes(12) + b"acsp" + bytes(28) + struct.pack(">3i", 63190, 65536, 54061)
    return header.ljust(128, b"\0") + index + body

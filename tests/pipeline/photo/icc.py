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


def brightening_scanner() -> bytes:
    """Build an RGB profile with a table to Lab and none back; white is white, black L* 50."""
    identity = struct.pack(">9i", 65536, 0, 0, 0, 65536, 0, 0, 0, 65536)
    ramp = bytes(range(256))
    corners = range(8)
    lightness = (128 + 127 * corner.bit_count() // 3 for corner in corners)
    table = b"".join(bytes([level, 128, 128]) for level in lightness)
    lookup = b"mft1" + bytes(4) + bytes([3, 3, 2, 0]) + identity + ramp * 3 + table + ramp * 3
    return _profile(b"RGB ", b"Lab ", {b"A2B0": lookup}, kind=b"scnr")


def _profile(
    space: bytes, connection: bytes, tags: dict[bytes, bytes], kind: bytes = b"prtr"
) -> bytes:
    index, body = struct.pack(">I", len(tags)), b""
    start = 128 + 4 + 12 * len(tags)
    for name, content in tags.items():
        index += name + struct.pack(">2I", start + len(body), len(content))
        body += content + bytes(-len(content) % 4)
    size = struct.pack(">I", start + len(body))
    header = size + bytes(4) + bytes([2, 0x40, 0, 0]) + kind + space + connection
    header += bytes(12) + b"acsp" + bytes(28) + struct.pack(">3i", 63190, 65536, 54061)
    return header.ljust(128, b"\0") + index + body

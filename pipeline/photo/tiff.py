"""TIFF: find the photo among the pictures of a file, refuse camera raw, limit strips and tiles."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import PurePosixPath
from typing import Final

from PIL import ImageFile, ImagePalette, TiffImagePlugin
from PIL.ExifTags import Base as Tag

from pipeline.errors import MediaTooLarge, UnsupportedMedia
from pipeline.photo.colour.meaning import Meaning
from pipeline.photo.limits import MAX_STRIPS, require_size
from pipeline.photo.refused import CAMERA_RAW
from pipeline.photo.tiff_directories import Directory, read_directories, with_first

# Pillow's own reader of uncompressed files takes planes of 16 bits for one of 8, and missing planes
# for black. libtiff, which reads the compressed ones, does neither.
TiffImagePlugin.READ_LIBTIFF = True
# Pillow decodes these as well as the ones that it lists: inverted, or of 12 bits.
TiffImagePlugin.OPEN_INFO |= {
    (b"MM", 0, (1,), 1, (16,), ()): ("I;16B", "I;16B"),
    (b"II", 0, (1,), 1, (12,), ()): ("I;16", "I;12"),
    (b"MM", 0, (1,), 1, (12,), ()): ("I;16", "I;12"),
    (b"MM", 1, (1,), 1, (12,), ()): ("I;16", "I;12"),
}

# Lists with a number for each strip or tile.
_LISTS: Final = {Tag.StripOffsets, Tag.StripByteCounts, Tag.TileOffsets, Tag.TileByteCounts}
_TURNED: Final = 4  # bytes per pixel of the copy that Pillow makes to apply the orientation
_TILE_PIXEL: Final = 8  # bytes

_UNSTATED, _WHITE_IS_ZERO, _BLACK_IS_ZERO, _PALETTE, _INKS = -1, 0, 1, 3, 5
_OF_A_MASK: Final = 4
_FAX: Final = {2, 3, 4}  # compressions whose codes are of white and black
_CMYK: Final = 1
_SIGNED: Final = 2
# Signs of a sensor's own numbers: a mosaic or linear raw, or a manufacturer's compression.
_RAW_PHOTOMETRIC: Final = {32803, 34892}
_RAW_COMPRESSION: Final = {32767, 32769, 32770, 32867, 34713, 34892, 65000, 65535}
# Pillow has no names for these, or EXIF's.
_MOSAIC, _LEAF, _DNG_PRIVATE, _CANON_SLICES = 33422, 34310, 50740, 50752
_RAW_TAGS: Final = {
    Tag.CFARepeatPatternDim, _MOSAIC, _LEAF, Tag.DNGVersion, _DNG_PRIVATE, _CANON_SLICES,
}  # fmt: skip
_RAW_STARTS: Final = (b"CR", b"IIII", b"MMMM")  # behind the header: Canon, Phase One
_RAW_SUFFIXES: Final = {
    ".3fr", ".arw", ".cr2", ".cs1", ".dcr", ".dng", ".erf", ".fff", ".gpr", ".iiq", ".k25",
    ".kdc", ".mef", ".mos", ".nef", ".nrw", ".orf", ".pef", ".raw", ".rw2", ".rwl", ".sr2",
    ".srf", ".srw",
}  # fmt: skip
# What a page states for the picture below it, unless that picture states it too.
_INHERITED: Final[tuple[int, ...]] = (Tag.Orientation, Tag.InterColorProfile, Tag.ExifOffset)


def prepare(content: bytes) -> bytes:
    """Return the file with the photo's directory in front, after measuring its parts.

    The photo is the first page. If that page is a smaller copy or a mask, it is the largest picture
    that is neither. Raises UnsupportedMedia for camera raw and for samples that no decoder here
    reads right, MediaTooLarge for more than `MAX_TIFF_TAGS` tags, more than `MAX_STRIPS` strips or
    tiles, or a tile larger than a photo may be.
    """
    directories = list(read_directories(content))
    if not directories:
        return content
    if content[8:12].startswith(_RAW_STARTS) or any(map(_is_raw, directories)):
        raise UnsupportedMedia(CAMERA_RAW)
    first, photo = directories[0], _photo(directories)
    _require_limits(photo)
    _require_readable(photo)
    if photo is first:
        return content
    return with_first(_inheriting(photo, first) if photo.at in first.below() else photo)


def require_no_raw(content: bytes, name: str) -> None:
    """Raise UnsupportedMedia for a TIFF of several pictures, or a preview, named as camera raw.

    Not every camera raw shows in its tags, and not every preview says that it is one.
    """
    if PurePosixPath(name).suffix.lower() in _RAW_SUFFIXES:
        directories = list(read_directories(content))
        if len(directories) > 1 or any(one.is_secondary for one in directories):
            raise UnsupportedMedia(CAMERA_RAW)


def read_meaning(image: ImageFile.ImageFile, _content: bytes) -> Meaning:
    """Return the colour profile, and what the levels of grey mean."""
    tags = image.tag_v2  # type: ignore[attr-defined]
    profile = image.info.get("icc_profile")
    palette = tags.get(Tag.ColorMap)
    if image.mode in {"P", "PA"} and max(palette) < 256:  # of 8 bits, though the standard says 16
        image.palette = ImagePalette.raw("RGB;L", bytes(palette))
    bits = tags.get(Tag.BitsPerSample, (1,))
    return Meaning(
        (profile,) if isinstance(profile, bytes) else (),
        white=2 ** bits[0] - 1 if 8 < bits[0] < 16 else 0xFFFF,
        inverted=tags.get(Tag.PhotometricInterpretation, _WHITE_IS_ZERO) == _WHITE_IS_ZERO,
    )


def extra_bytes(image: ImageFile.ImageFile, _coded_pixels: int) -> int:
    """Return the memory for Pillow's turned copy, and for one strip or tile."""
    tags = image.tag_v2  # type: ignore[attr-defined]
    tile_pixels = int(tags.get(Tag.TileWidth, 0)) * int(tags.get(Tag.TileLength, 0))
    width, height = int(tags[Tag.ImageWidth]), int(tags[Tag.ImageLength])
    rows = min(int(tags.get(Tag.RowsPerStrip, height)), height)
    bits = sum(map(int, tags.get(Tag.BitsPerSample, (1,))))
    strip_bytes = rows * (width * bits // 8 + 1)
    return image.width * image.height * _TURNED + tile_pixels * _TILE_PIXEL + strip_bytes


def _is_raw(directory: Directory) -> bool:
    return (
        directory.value(Tag.PhotometricInterpretation, 0) in _RAW_PHOTOMETRIC
        or directory.value(Tag.Compression, 1) in _RAW_COMPRESSION
        or not _RAW_TAGS.isdisjoint(directory.entries)
    )


def _photo(directories: Sequence[Directory]) -> Directory:
    first = directories[0]
    if not first.is_secondary:
        return first
    others = [
        one
        for one in directories
        if not one.is_secondary
        and one.value(Tag.PhotometricInterpretation, _WHITE_IS_ZERO) != _OF_A_MASK
        and one.pixels > first.pixels
    ]
    return max(others, key=lambda one: one.pixels, default=first)


def _inheriting(photo: Directory, first: Directory) -> Directory:
    """Return the photo's directory with what only the page above it states."""
    stated = {tag: first.entries[tag] for tag in _INHERITED if tag in first.entries}
    return photo._replace(entries={**stated, **photo.entries})


def _require_limits(photo: Directory) -> None:
    for tag in _LISTS & photo.entries.keys():
        length = photo.entries[tag].length
        if length > MAX_STRIPS:
            raise MediaTooLarge(f"{length:,} TIFF strips or tiles; the limit is {MAX_STRIPS:,}")
    tile = photo.value(Tag.TileWidth, 1), photo.value(Tag.TileLength, 1)
    require_size(*tile, part="TIFF tile")


def _require_readable(photo: Directory) -> None:
    """Raise UnsupportedMedia for samples that Pillow accepts and gets wrong."""
    photometric = photo.value(Tag.PhotometricInterpretation, _UNSTATED)
    if photometric == _UNSTATED and photo.value(Tag.Compression, 1) not in _FAX:
        raise UnsupportedMedia("a TIFF that does not state what its numbers mean")
    deep = max(photo.values(Tag.BitsPerSample), default=1) > 16
    if _SIGNED in photo.values(Tag.SampleFormat) and not deep:
        raise UnsupportedMedia("a TIFF of signed numbers: export it with unsigned ones")
    if photometric == _INKS and photo.value(Tag.InkSet, _CMYK) != _CMYK:
        raise UnsupportedMedia("a TIFF of inks other than CMYK")
    with_alpha = photometric in {_WHITE_IS_ZERO, _BLACK_IS_ZERO, _PALETTE} and any(
        photo.values(Tag.ExtraSamples)
    )
    if with_alpha and photo.value(Tag.PlanarConfiguration, 1) == 2:
        raise UnsupportedMedia("a TIFF whose alpha is stored apart from its grey or palette")

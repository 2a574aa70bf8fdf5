"""Find the picture that a HEIF file shows, and measure it before a decoder gets a part of it."""

from __future__ import annotations

from typing import Final, NamedTuple

from pipeline.errors import CorruptMedia, MediaTooLarge, UnsupportedMedia
from pipeline.photo.colour.spaces import UNSPECIFIED, ColourSpace, from_code_points
from pipeline.photo.heif import av1, hevc
from pipeline.photo.heif.boxes import Fields
from pipeline.photo.heif.coding import Coding
from pipeline.photo.heif.items import Items, Property, read_items
from pipeline.photo.heif.still import CONFIGURATIONS, Still
from pipeline.photo.heif.transformations import TRANSFORMATIONS, crop_and_orientation
from pipeline.photo.limits import (
    MAX_BYTES,
    MAX_TILES,
    require_profile_bytes,
    require_size,
)

_REFUSED: Final = {
    b"avc1": "H.264", b"hev1": "HEVC with headers among its pixels", b"iden": "a changed copy",
    b"iovl": "an overlay", b"j2k1": "JPEG 2000", b"jpeg": "JPEG inside HEIF",
    b"tmap": "a tone map", b"unci": "uncompressed", b"vvc1": "H.266",
}  # fmt: skip
_ALPHA: Final = {b"urn:mpeg:mpegB:cicp:systems:auxiliary:alpha", b"urn:mpeg:hevc:2015:auxid:1"}
_UNDERSTOOD: Final = {
    *CONFIGURATIONS.values(),
    *TRANSFORMATIONS,
    b"auxC",
    b"colr",
    b"ispe",
    b"pixi",
}
_SAMPLES_ARE_ALPHA: Final = b"nclx" + b"\0\2" * 3 + b"\x80"  # full range, whatever the codec says


class Layer(NamedTuple):
    """The colours or the alpha of a picture: tiles of one size, row by row.

    The last tiles of a row and of a column may reach beyond `width` and `height`.
    """

    items: Items
    width: int
    height: int
    columns: int
    tiles: tuple[int, ...]
    coding: Coding
    nclx: bytes | None

    def still(self, tile: int) -> Still:
        """Return a tile as a picture of its own."""
        codec = self.items.kind(tile)
        body = _property(self.items.properties(tile), CONFIGURATIONS[codec])
        data = self.items.data(tile)
        if codec == b"av01":
            return Still(codec, bytes(body[:4]), self.coding, self.nclx, data)
        configuration = hevc.read_configuration(body)
        slices = hevc.picture_data(data, configuration.length_size)
        return Still(codec, configuration.record, self.coding, self.nclx, slices)

    def place(self, index: int) -> tuple[int, int]:
        """Return the left and top of a tile in the picture."""
        row, column = divmod(index, self.columns)
        return column * self.coding.width, row * self.coding.height


class Colour(NamedTuple):
    """What the numbers of a picture mean: an ICC profile, or a colour space by its code points."""

    icc_profile: bytes | None
    nclx: bytes | None
    space: ColourSpace | None


class Picture(NamedTuple):
    """The picture of a file, as stored. `crop` comes before `orientation`, which is EXIF's."""

    name: str
    colours: Layer
    alpha: Layer | None
    premultiplied: bool
    colour: Colour
    crop: tuple[int, int, int, int]
    orientation: int


def read_picture(content: bytes) -> Picture:
    """Measure the primary picture of a HEIC or AVIF file, without decoding a pixel.

    Thumbnails, depth and gain maps, later pictures and metadata, EXIF included, are not read: HEIF
    has properties of its own for the orientation. Raises UnsupportedMedia, CorruptMedia or
    MediaTooLarge.
    """
    items = read_items(content)
    if items is None or items.primary is None:
        raise UnsupportedMedia("a HEIF file without a still picture, such as a sequence")
    primary, properties = items.primary, items.properties(items.primary)
    colours = _layer(items, primary)
    colour = _colour(properties + items.properties(colours.tiles[0]), colours.coding)
    crop, orientation = crop_and_orientation(properties, colours.width, colours.height)
    alpha = _alpha_of(items, primary)
    by_alpha = alpha in items.referred(b"prem", primary)
    return Picture(
        "AVIF" if items.kind(colours.tiles[0]) == b"av01" else "HEIC",
        colours._replace(nclx=colour.nclx),
        None if alpha is None else _alpha_layer(items, alpha),
        by_alpha,
        colour,
        crop,
        orientation,
    )


def _alpha_layer(items: Items, item: int) -> Layer:
    layer = _layer(items, item)
    hevc_coded = items.kind(layer.tiles[0]) == b"hvc1"
    return layer._replace(nclx=_SAMPLES_ARE_ALPHA if hevc_coded else None)


def _layer(items: Items, item: int) -> Layer:
    """Measure a picture and its tiles; every tile is as large as the first."""
    grid = _grid(items, item)
    coding, *others = {tile: _coding(items, tile) for tile in grid.tiles}.values()
    rows = len(grid.tiles) // grid.columns
    width, height = grid.size or (coding.width, coding.height)
    if any(other != coding for other in others):
        raise UnsupportedMedia("a HEIF photo of tiles that differ in size or depth")
    require_size(width, height)
    require_size(grid.columns * coding.width, rows * coding.height, part="HEIF grid")
    if grid.columns * coding.width < width or rows * coding.height < height:
        raise CorruptMedia("damaged HEIF: its tiles do not cover the photo")
    _require_stated_size(items.properties(item), width, height)
    if sum(items.size(tile) for tile in grid.tiles) > MAX_BYTES:
        raise MediaTooLarge(f"HEIF tiles of more than {MAX_BYTES:,} bytes together")
    return Layer(items, width, height, grid.columns, grid.tiles, coding, None)


class _Grid(NamedTuple):
    columns: int
    tiles: tuple[int, ...]
    size: tuple[int, int] | None  # of the picture; None: that of its only tile


def _grid(items: Items, item: int) -> _Grid:
    if items.kind(item) != b"grid":
        return _Grid(1, (item,), None)
    fields = Fields(memoryview(items.data(item)))
    fields.number(1)
    wide = 4 if fields.number(1) & 1 else 2
    rows, columns = fields.number(1) + 1, fields.number(1) + 1
    size = fields.number(wide), fields.number(wide)
    if rows * columns > MAX_TILES:
        raise MediaTooLarge(f"{rows * columns:,} HEIF tiles; the limit is {MAX_TILES:,}")
    tiles = tuple(items.referred(b"dimg", item))
    if len(tiles) != rows * columns or not min(size):
        raise CorruptMedia(f"damaged HEIF: a grid of {rows} × {columns} has {len(tiles)} tiles")
    if any(TRANSFORMATIONS & {row.kind for row in items.properties(tile)} for tile in tiles):
        raise UnsupportedMedia("a HEIF photo of tiles that are turned one by one")
    return _Grid(columns, tiles, size)


def _coding(items: Items, item: int) -> Coding:
    """Return the size and kind of one coded picture, as its codec's header states them."""
    codec, properties = items.kind(item), items.properties(item)
    if codec not in CONFIGURATIONS:
        name = _REFUSED.get(codec, codec.decode("ascii", "backslashreplace"))
        raise UnsupportedMedia(f"unsupported HEIF coding: {name}")
    unknown = {row.kind for row in properties if row.essential} - _UNDERSTOOD
    if unknown:
        names = ", ".join(sorted(kind.decode("ascii", "backslashreplace") for kind in unknown))
        raise UnsupportedMedia(f"unsupported HEIF coding: it needs {names}")
    body = _property(properties, CONFIGURATIONS[codec])
    if codec == b"av01":
        coding = av1.read_coding(items.data(item))
    else:
        coding = hevc.read_configuration(body).coding
    require_size(coding.width, coding.height)
    _require_stated_size(properties, coding.width, coding.height)
    return coding


def _require_stated_size(properties: list[Property], width: int, height: int) -> None:
    fields = Fields(_property(properties, b"ispe"))
    fields.number(4)
    stated = fields.number(4), fields.number(4)
    if stated != (width, height):
        raise CorruptMedia(
            f"damaged HEIF: {width} × {height} pixels, where {stated[0]} × {stated[1]} are stated"
        )


def _property(properties: list[Property], kind: bytes) -> memoryview:
    body = next((row.body for row in properties if row.kind == kind), None)
    if body is None:
        raise CorruptMedia(f"damaged HEIF: a picture without '{kind.decode()}'")
    return body


def _alpha_of(items: Items, primary: int) -> int | None:
    """Return the first auxiliary picture that is the alpha of the primary one."""
    for item in items.referring(b"auxl", primary):
        for kind, body, _ in items.properties(item):
            if kind == b"auxC" and bytes(body[4:]).partition(b"\0")[0] in _ALPHA:
                return item
    return None


def _colour(properties: list[Property], coding: Coding) -> Colour:
    """Read what the numbers mean; raise UnsupportedMedia for HDR, which would come out dark."""
    bodies = [bytes(row.body) for row in properties if row.kind == b"colr"]
    profile = next((body[4:] for body in bodies if body[:4] in {b"prof", b"rICC"}), None)
    nclx = next((body for body in bodies if body[:4] == b"nclx"), None)
    require_profile_bytes(len(profile or b""), "HEIF")
    points = coding.primaries, coding.transfer
    if nclx:
        fields = Fields(memoryview(nclx)[4:])
        points = fields.number(2), fields.number(2)
        fields.number(3)
    primaries, transfer = (UNSPECIFIED if point is None else point for point in points)
    return Colour(profile or None, nclx, from_code_points(primaries, transfer))

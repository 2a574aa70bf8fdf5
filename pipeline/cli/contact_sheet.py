"""Write a contact sheet: pages of PNG with each photo next to its cutout."""

from __future__ import annotations

import errno
import io
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from PIL import Image, ImageDraw, ImageFont, ImageOps
from PIL.ExifTags import IFD, Base
from PIL.PngImagePlugin import PngInfo

from pipeline.cli.printable import printable
from pipeline.errors import PipelineError
from pipeline.photo.limits import require_bytes, require_size
from pipeline.session.batch import MediaFile, Outcome
from pipeline.session.own_files import SHEET_MARK, is_contact_sheet, read_head
from pipeline.session.whole_files import reason_of, whole_file

NAME: Final = "contact-sheet"
_PAIRS: Final = 40  # on a page
_COLUMNS: Final = 2
_TILE: Final = 300
_MARGIN: Final = 12
_CAPTION: Final = 24
_CHECKER: Final = 10
_PAPER: Final = (250, 250, 250)
_INK: Final = (40, 40, 40)
_LIGHT: Final = (255, 255, 255)
_GREY: Final = (204, 204, 204)
# Above a limit of its own, Pillow warns; ours are `photo.limits`.
Image.MAX_IMAGE_PIXELS = None
_SRGB: Final = 1  # EXIF's number
_DEPTH: Final = 24  # where a PNG has the bits of a channel
_ON_COLOUR: Final = (b"iCCP", b"cICP", b"gAMA", b"cHRM", b"tRNS", b"eXIf")
_SIGNATURES: Final = (b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n")  # JPEG, PNG
_FAULTS: Final = (OSError, SyntaxError, ValueError, IndexError)  # Pillow's, for a damaged file
_COMPRESSION: Final = 3  # zlib level; 6 makes a page a tenth smaller and takes a second longer


class ContactSheet:
    """The contact sheet of a batch, drawn while the batch runs.

    A page is written and forgotten once each of its photos has an outcome, so memory holds few
    pages. `pages` are the names of the files; `troubles` says why a page could not be written.
    """

    def __init__(self, photos: Sequence[MediaFile], output: Path) -> None:
        self.pages: list[str] = []
        self.troubles: list[str] = []
        self._output = output
        self._places = {photo: divmod(index, _PAIRS) for index, photo in enumerate(photos)}
        self._sizes = [
            len(photos[start : start + _PAIRS]) for start in range(0, len(photos), _PAIRS)
        ]
        self._pairs: defaultdict[int, dict[int, Image.Image]] = defaultdict(dict)
        self._missing = list(self._sizes)

    def add(self, outcome: Outcome) -> None:
        """Draw a photo next to its cutout; write the page if it was the last of its page."""
        page, cell = self._places[outcome.file]
        self._missing[page] -= 1
        if outcome.shown:
            self._pairs[page][cell] = _pair(outcome, outcome.shown)
        if not self._missing[page]:
            self._write(page)

    def finish(self) -> None:
        """Write the pages that are not full, and remove the pages of an earlier batch."""
        for page in sorted(self._pairs):
            self._write(page)
        self.pages.sort()
        if self.pages:
            for path in sorted(self._output.glob(f"{NAME}*.png")):
                if path.name not in self.pages:
                    self._remove(path)

    def _remove(self, path: Path) -> None:
        """Remove a page of an earlier batch; leave the user's files."""
        try:
            if path.is_file() and is_contact_sheet(read_head(path)):
                path.unlink()
        except OSError as error:
            self.troubles.append(f"An earlier page may be left: {reason_of(error)}")

    def _write(self, page: int) -> None:
        """Write a page, two pairs a row; no file if none of its photos was cut out."""
        drawn = self._pairs.pop(page, {})
        if not drawn:
            return
        digits = max(2, len(str(len(self._sizes))))
        number = f"-{page + 1:0{digits}}" if len(self._sizes) > 1 else ""
        name = f"{NAME}{number}.png"
        try:
            _save(_page([drawn[cell] for cell in sorted(drawn)]), self._output / name)
        except OSError as error:
            self.troubles.append(f"No contact sheet: {reason_of(error)}")
        else:
            self.pages.append(name)


def _save(sheet: Image.Image, path: Path) -> None:
    """Write a page with its mark. Raises FileExistsError if the user has such a file."""
    if path.exists() and not is_contact_sheet(read_head(path)):
        raise FileExistsError(errno.EEXIST, "not written by Matteline", str(path))
    mark = PngInfo()
    mark.add_text(*SHEET_MARK)
    with whole_file(path) as partial:
        sheet.save(partial, "PNG", pnginfo=mark, compress_level=_COMPRESSION)


def _page(pairs: Sequence[Image.Image]) -> Image.Image:
    rows = [pairs[index : index + _COLUMNS] for index in range(0, len(pairs), _COLUMNS)]
    heights = [max(pair.height for pair in row) + _MARGIN for row in rows]
    width = _MARGIN + max(sum(pair.width + _MARGIN for pair in row) for row in rows)
    sheet = Image.new("RGB", (width, _MARGIN + sum(heights)), _PAPER)
    for index, row in enumerate(rows):
        top = _MARGIN + sum(heights[:index])
        for column, pair in enumerate(row):
            sheet.paste(pair, (_MARGIN + column * (pair.width + _MARGIN), top))
    return sheet


def _pair(outcome: Outcome, picture: Path) -> Image.Image:
    """Draw the photo next to its cutout, with name and model below."""
    tiles = [_tile(outcome.file.path), _tile(picture)]
    height = max(tile.height for tile in tiles)
    pair = Image.new("RGB", (2 * _TILE + _MARGIN // 2, height + _CAPTION), _PAPER)
    for left, tile in zip((0, _TILE + _MARGIN // 2), tiles, strict=True):
        pair.paste(tile, (left + (_TILE - tile.width) // 2, (height - tile.height) // 2))
    caption = printable(f"{outcome.file.name}  ·  {outcome.model}")
    font = ImageFont.load_default(14)
    ImageDraw.Draw(pair).text((0, height + 4), caption[:80], fill=_INK, font=font)
    return pair


def _tile(path: Path) -> Image.Image:
    """Draw an image in a square, over a checkerboard if it is transparent, with sRGB's colours.

    The square is empty if the image is no longer there.
    """
    try:
        content = path.read_bytes()
        picture = _plain(content) or _converted(content)
    except (*_FAULTS, PipelineError):
        return Image.new("RGB", (_TILE, _TILE), _PAPER)
    picture.thumbnail((_TILE, _TILE), Image.Resampling.LANCZOS, reducing_gap=2.0)
    if picture.mode == "RGB":
        return picture
    board = checkerboard(*picture.size)
    board.paste(picture, (0, 0), picture)
    return board


def _plain(content: bytes) -> Image.Image | None:
    """Decode an image if its numbers are plainly sRGB's, as most are; else return None.

    Pillow alone is enough for these, and numpy need not be loaded.
    """
    require_bytes(len(content))
    if not content.startswith(_SIGNATURES):
        return None
    with Image.open(io.BytesIO(content), formats=("JPEG", "PNG")) as image:
        require_size(*image.size)
        stated = _colours_of_png(content) if image.format == "PNG" else _colours_of_jpeg(image)
        if stated or image.mode not in {"RGB", "RGBA"}:
            return None
        image.draft(None, (_TILE, _TILE))
        image.load()
        return image if image.format == "PNG" else ImageOps.exif_transpose(image)


def _colours_of_png(content: bytes) -> bool:
    """Return True if a PNG states colours, has a transparent colour, or more than 8 bits."""
    head = content[: content.find(b"IDAT")]
    return content[_DEPTH] != 8 or any(name in head for name in _ON_COLOUR)


def _colours_of_jpeg(image: Image.Image) -> bool:
    """Return True if a JPEG has a profile, or metadata that does not say that it is sRGB."""
    tags = image.getexif()
    return "icc_profile" in image.info or bool(
        tags and tags.get_ifd(IFD.Exif).get(Base.ColorSpace) != _SRGB
    )


def _converted(content: bytes) -> Image.Image:
    """Decode an image of any format, and convert its colours to sRGB's."""
    from pipeline.photo.pixels import decode

    photo = decode(content, least_side=_TILE, in_srgb=True)
    picture = Image.fromarray(photo.rgb)
    if photo.alpha is not None:
        picture.putalpha(Image.fromarray(photo.alpha))
    return picture


def checkerboard(width: int, height: int) -> Image.Image:
    """Draw light and grey squares, which stand for transparency."""
    board = Image.new("RGB", (width, height), _LIGHT)
    draw = ImageDraw.Draw(board)
    for top in range(0, height, _CHECKER):
        for left in range((top + _CHECKER) % (2 * _CHECKER), width, 2 * _CHECKER):
            draw.rectangle((left, top, left + _CHECKER - 1, top + _CHECKER - 1), _GREY)
    return board

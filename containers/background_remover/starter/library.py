"""Load the training images that `data.toml` lists, small and decoded, into memory."""

from __future__ import annotations

import tomllib
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

from PIL import Image, ImageFilter

Kind = Literal["pairs", "sprites", "backgrounds"]

LONGEST_SIDE: Final = 288
HELD_OUT_PERCENT: Final = 4
_LEAST_COVERAGE: Final = 0.01
_DATA: Final = Path(__file__).parent / "data.toml"


@dataclass(frozen=True, eq=False)
class Subject:
    """A photo and its mask (L, 255 = subject), of one size; `box` bounds the mask."""

    photo: Image.Image
    mask: Image.Image
    box: tuple[int, int, int, int]

    @property
    def bust(self) -> bool:
        """Return True if the photo ends before the subject does, so that it has no lower end."""
        return self.box[3] >= self.mask.height - 1


@dataclass(frozen=True, eq=False)
class Shelf:
    """One set of images, and its weight in random choices among sets of its kind."""

    name: str
    kind: Kind
    share: float
    empty: bool
    subjects: tuple[Subject, ...] = ()
    photos: tuple[Image.Image, ...] = ()


@dataclass(frozen=True, eq=False)
class Library:
    shelves: tuple[Shelf, ...]

    def of_kind(self, *kinds: Kind) -> tuple[Shelf, ...]:
        return tuple(shelf for shelf in self.shelves if shelf.kind in kinds)

    @property
    def empty_scenes(self) -> tuple[Shelf, ...]:
        return tuple(shelf for shelf in self.shelves if shelf.empty)


def load_library(root: Path, *, held_out: bool = False) -> Library:
    """Load every set of `data.toml` under `root`; `held_out` selects the 4% not trained on."""
    rows = tomllib.loads(_DATA.read_text(encoding="utf-8"))["sets"]
    shelves = [_shelf(root, row, held_out=held_out) for row in rows]
    missing = [shelf.name for shelf in shelves if not (shelf.subjects or shelf.photos)]
    if missing and not held_out:
        raise FileNotFoundError(f"no images under {root} for: {', '.join(missing)}")
    return Library(tuple(shelf for shelf in shelves if shelf.subjects or shelf.photos))


def _shelf(root: Path, row: dict[str, str | float | bool], *, held_out: bool) -> Shelf:
    folder, kind = root / str(row["folder"]), str(row["kind"])
    name, share, empty = str(row["folder"]), float(row["share"]), bool(row.get("empty"))
    paths = [path for path in _pictures(folder) if _is_held_out(path) == held_out]
    if kind == "backgrounds":
        photos = tuple(_shrunk(Image.open(path).convert("RGB")) for path in paths)
        return Shelf(name, "backgrounds", share, empty, photos=photos)
    subjects = tuple(subject for path in paths if (subject := _subject(path)) is not None)
    named: Kind = "pairs" if kind == "pairs" else "sprites"
    return Shelf(name, named, share, empty, subjects=subjects)


def _pictures(folder: Path) -> Iterator[Path]:
    """Return photos that have masks in `masks/`, or images with an alpha channel."""
    photos = folder / "photos"
    where = photos if photos.is_dir() else folder
    yield from sorted(path for path in where.glob("*") if path.suffix in {".jpg", ".png", ".webp"})


def _subject(path: Path) -> Subject | None:
    """Return photo and mask, or None if the mask is nearly empty."""
    opened = Image.open(path)
    if path.parent.name == "photos":
        mask = Image.open(path.parents[1] / "masks" / f"{path.stem}.png").convert("L")
        photo = opened.convert("RGB")
    else:
        mask = opened.convert("RGBA").getchannel("A")
        photo = _spread(opened.convert("RGBA"))
    photo, mask = _shrunk(photo), _shrunk(mask)
    certain = mask.point(lambda value: 255 if value > 127 else 0)
    box = certain.getbbox()
    covered = certain.histogram()[255] / (mask.width * mask.height)
    if box is None or photo.size != mask.size or covered < _LEAST_COVERAGE:
        return None
    return Subject(photo, mask, box)


def _spread(sprite: Image.Image) -> Image.Image:
    """Extend RGB colours beyond the alpha, so that scaling mixes in no black."""
    blurred = sprite.convert("RGBa").filter(ImageFilter.BoxBlur(3)).convert("RGBA")
    return Image.composite(sprite, blurred, sprite.getchannel("A")).convert("RGB")


def _shrunk(picture: Image.Image) -> Image.Image:
    picture.thumbnail((LONGEST_SIDE, LONGEST_SIDE), Image.Resampling.BOX)
    picture.load()
    return picture


def _is_held_out(path: Path) -> bool:
    """Return True for a selection by name, which is the same on every machine."""
    return zlib.crc32(path.stem.encode()) % 100 < HELD_OUT_PERCENT

"""A small library for the starter's tests: white discs to cut out, black photos behind them."""

from __future__ import annotations

from pathlib import Path

from PIL import Image, ImageDraw

from containers.background_remover.starter.library import Library, Shelf, Subject

SIDE = 60


def disc() -> Image.Image:
    """A mask: a disc of two thirds of the side."""
    mask = Image.new("L", (SIDE, SIDE))
    ImageDraw.Draw(mask).ellipse((10, 10, 50, 50), fill=255)
    return mask


def discs_on_black() -> Library:
    """Every kind of shelf: wherever there is light, there is a subject."""
    mask = disc()
    subject = Subject(mask.convert("RGB"), mask, (10, 10, 51, 51))
    black = Image.new("RGB", (SIDE, SIDE))
    return Library(
        (
            Shelf("pairs", "pairs", 1.0, empty=False, subjects=(subject,)),
            Shelf("sprites", "sprites", 1.0, empty=False, subjects=(subject,)),
            Shelf("black", "backgrounds", 1.0, empty=True, photos=(black,)),
        )
    )


def write_sets(root: Path, names: list[str]) -> None:
    """Every set that `data.toml` names, each with a picture for each of `names`."""
    pairs = ["clothing", "feral_cats", "dreambooth", "products_eshop", "trashnet"]
    grounds = ["hdri_crops", "surfaces", "cat_scenes", "grocery", "cardboard"]
    for folder in [*pairs, "people3d", "objects3d"]:
        for name in names:
            _save(root / folder / "photos" / f"{name}.jpg", disc().convert("RGB"))
            _save(root / folder / "masks" / f"{name}.png", disc())
    for name in names:
        sprite = Image.merge("RGBA", [*Image.new("RGB", (SIDE, SIDE), "red").split(), disc()])
        _save(root / "fluent_emoji" / f"{name}.webp", sprite)
        for folder in grounds:
            _save(root / "backgrounds" / folder / f"{name}.png", Image.new("RGB", (SIDE, SIDE)))


def _save(path: Path, picture: Image.Image) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    picture.save(path)

"""Photos with a known truth, in two halves: one to choose the rule on, one to report."""

from __future__ import annotations

import io
from collections.abc import Iterator
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Final, Literal, NamedTuple

import numpy as np
from PIL import Image, ImageFilter

from pipeline.photo.pixels import Pixels
from tests.bench.edges.drawing import Layer, Plane, mottled
from tests.bench.edges.masks import EYES, RATIOS, matting_eye, seen_by
from tests.bench.edges.subjects import HARD, HEIGHT, SUBJECTS, WIDTH

Half = Literal["chosen on", "reported"]
Kind = Literal["hair", "fur", "mesh", "glass", "hard", "lemur"]

GROUNDS: Final[dict[Half, tuple[str, ...]]] = {
    "chosen on": ("astronaut.png", "coffee.png"),
    "reported": ("chelsea.png", "motorcycle_left.png"),
}
_SEEDS: Final[dict[Half, int]] = {"chosen on": 0, "reported": 100}
_GRAIN: Final = 1.5
_QUALITY: Final = 94


class Scene(NamedTuple):
    """A photo (H×W×3), what is true of it, and what models of two sizes say.

    `masks` are of segmentation networks, by side; `mattes` of matting networks, by photo pixels a
    mask pixel.
    """

    name: str
    kind: Kind
    photo: Pixels
    truth: Layer
    masks: dict[int, Pixels]
    mattes: dict[int, Pixels]


def scenes(half: Half, *, data: Path | None = None) -> Iterator[Scene]:
    """Every subject on every background of its half; the lemur where `data` has it."""
    for place, ground in enumerate(GROUNDS[half]):
        for offset, (name, draw) in enumerate(SUBJECTS.items()):
            seed = _SEEDS[half] + 7 * place + offset
            kind: Kind = "hard" if name in HARD else name  # type: ignore[assignment]
            backdrop = background(ground, (WIDTH, HEIGHT), blur=2.0 * (seed % 3))
            truth = _before(backdrop, name, draw(seed))
            yield _scene(f"{name} on {Path(ground).stem}", kind, truth, backdrop, seed)
    if data and (data / "lemur").is_dir():
        yield from _lemurs(half, data / "lemur")


def drawn_scene(name: str, seed: int) -> Scene:
    """A subject on a drawn background: nobody else's photo in it."""
    mottle = mottled(WIDTH, HEIGHT, cell=45, strength=0.5, seed=seed) * np.float32(0.4)
    ground: Plane = np.clip(mottle, 0, 1)
    return _scene(name, "hair", _before(ground, name, SUBJECTS[name](seed)), ground, seed)


def _before(ground: Plane, name: str, drawn: Layer) -> Layer:
    """The subject; a disguised one has the background's own colours, from the other side."""
    if name != "disguised":
        return drawn
    return Layer(np.ascontiguousarray(ground[:, ::-1]), drawn.alpha)


@cache
def background(name: str, size: tuple[int, int], *, blur: float) -> Plane:
    """A sample photo of scikit-image's, cropped to fill `size` (width, height); H×W×3 in 0…1."""
    with Image.open(io.BytesIO((files("skimage") / "data" / name).read_bytes())) as opened:
        image = opened.convert("RGB")
    width, height = size
    scale = max(width / image.width, height / image.height)
    enlarged = (round(image.width * scale), round(image.height * scale))
    image = image.resize(enlarged, Image.Resampling.BICUBIC).crop((0, 0, width, height))
    if blur:
        image = image.filter(ImageFilter.GaussianBlur(blur))
    return np.asarray(image, dtype=np.float32) / np.float32(255)


def _lemurs(half: Half, folder: Path) -> Iterator[Scene]:
    """Real fur, photographed before a screen, so that its matte is known."""
    alpha = _plane(folder / "lemur_alpha.png", "L")
    colours = _plane(folder / "lemur_foreground.png")
    size = alpha.shape[::-1]
    own = {"chosen on": "lemur_background.png", "reported": "beach.png"}[half]
    image = Image.open(folder / own).convert("RGB").resize(size, Image.Resampling.BICUBIC)
    grounds = {Path(own).stem: np.asarray(image, dtype=np.float32) / np.float32(255)}
    grounds[Path(GROUNDS[half][0]).stem] = background(GROUNDS[half][0], size, blur=1.0)
    for seed, (name, ground) in enumerate(grounds.items()):
        yield _scene(f"lemur on {name}", "lemur", Layer(colours, alpha), ground, seed)


def _plane(path: Path, mode: str = "RGB") -> Plane:
    with Image.open(path) as image:
        return np.asarray(image.convert(mode), dtype=np.float32) / np.float32(255)


def _scene(name: str, kind: Kind, truth: Layer, ground: Plane, seed: int) -> Scene:
    weight = truth.alpha[..., None]
    mixed = truth.colours * weight + ground * (1 - weight)
    masks = {side: seen_by(eye, truth.alpha, seed=seed) for side, eye in EYES.items()}
    mattes = {
        ratio: seen_by(matting_eye(truth.alpha, ratio), truth.alpha, seed=seed) for ratio in RATIOS
    }
    return Scene(name, kind, _photographed(mixed, seed), truth, masks, mattes)


def _photographed(colours: Plane, seed: int) -> Pixels:
    """With a camera's grain, and through a JPEG."""
    grain = np.random.default_rng(seed).normal(0, _GRAIN, colours.shape)
    levels = np.clip(colours * 255 + grain, 0, 255).round().astype(np.uint8)
    buffer = io.BytesIO()
    Image.fromarray(levels).save(buffer, "JPEG", quality=_QUALITY, subsampling=0)
    with Image.open(buffer) as image:
        return np.asarray(image)

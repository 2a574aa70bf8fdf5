"""The photos with faces: those of a folder, of face-api's package and of scikit-image."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from importlib.resources import files
from pathlib import Path
from typing import Final

import numpy as np
from PIL import Image, ImageOps

from pipeline.cli.report import console
from tests.bench.faces.peers import face_api_packages
from tests.bench.faces.raw_photos import RawPhoto, Rgb, write_raw
from tests.bench.figures import Missing

FOLDER: Final = "MATTELINE_PHOTOS"
ASTRONAUT: Final = Path(str(files("skimage") / "data" / "astronaut.png"))


def photos() -> list[Path]:
    """Return all photos that are here, and print which are missing."""
    found = [ASTRONAUT]
    for name, here in (("face-api's samples", samples), (f"{FOLDER}/people", _people)):
        try:
            found += here()
        except Missing as why:
            console().print(f"without {name}: {why}")
    return found


def samples() -> list[Path]:
    """Return the samples of face-api's package. Raises Missing."""
    return sorted((face_api_packages() / "@vladmandic/face-api/demo").glob("sample*.jpg"))


def _people() -> list[Path]:
    folder = Path(os.environ.get(FOLDER, "")) / "people" / "photos"
    if not os.environ.get(FOLDER) or not folder.is_dir():
        raise Missing(f"set {FOLDER} to a folder that has people/photos")
    return sorted(path for path in folder.iterdir() if path.suffix in {".jpg", ".jpeg", ".png"})


def decoded(path: Path) -> Rgb:
    """Return a photo's pixels, upright."""
    with Image.open(path) as image:
        return np.asarray(ImageOps.exif_transpose(image).convert("RGB"))


def raw(paths: Sequence[Path], folder: Path) -> list[RawPhoto]:
    """Write photos as RGB bytes to `folder`."""
    return [write_raw(path.stem, decoded(path), folder) for path in paths]


def enlarged(pixels: Rgb, megapixels: float) -> Rgb:
    """Return a photo at another size, its shape kept."""
    times = (megapixels * 1e6 / (pixels.shape[0] * pixels.shape[1])) ** 0.5
    size = round(pixels.shape[1] * times), round(pixels.shape[0] * times)
    return np.asarray(Image.fromarray(pixels).resize(size, Image.Resampling.BICUBIC))


def of_mixed_sizes(paths: Sequence[Path], count: int) -> Iterator[Rgb]:
    """Yield `count` photos of 0.05 to 6 megapixels, in an order that is always the same."""
    draw = np.random.default_rng(0)
    sizes = np.geomspace(0.05, 6, 20)
    for number in range(count):
        if number % len(sizes) == 0:
            draw.shuffle(sizes)
        yield enlarged(decoded(paths[number % len(paths)]), sizes[number % len(sizes)])

"""Photos to try things on: scikit-image's samples, public domain or CC0."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path
from typing import Final

SAMPLES: Final = ("astronaut.png", "chelsea.png", "coffee.png", "rocket.jpg")


def sample_photos() -> list[Path]:
    """A person, a cat, a cup and a rocket, as files of the installed package."""
    return [Path(str(files("skimage") / "data" / name)) for name in SAMPLES]

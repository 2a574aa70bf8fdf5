"""Photos as files of RGB bytes: what both sides of a comparison read."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

Rgb = npt.NDArray[np.uint8]  # (height, width, 3)


@dataclass(frozen=True)
class RawPhoto:
    """A photo as a file of RGB bytes, line by line, upright."""

    name: str
    path: Path
    width: int
    height: int

    def told(self) -> dict[str, object]:
        """Return what programs in other environments read."""
        return {"path": str(self.path), "width": self.width, "height": self.height}

    def pixels(self) -> Rgb:
        return np.fromfile(self.path, np.uint8).reshape(self.height, self.width, 3)


def write_raw(name: str, pixels: Rgb, folder: Path) -> RawPhoto:
    """Write a photo's pixels to `folder`."""
    path = folder / f"{name}.rgb"
    pixels.tofile(path)
    return RawPhoto(name, path, width=pixels.shape[1], height=pixels.shape[0])


def told(output: str) -> dict[str, Any]:
    """Return what a program printed: a line of JSON for each photo, then one for the process."""
    *photos, process = map(json.loads, output.splitlines())
    return {"photos": photos, **process}

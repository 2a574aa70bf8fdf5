"""`python -m containers.edge_refiner.selftest`: turn a coarse mask into a cutout."""

from __future__ import annotations

import io
from typing import Final

from PIL import Image

from containers.edge_refiner.handler import handler
from pipeline.contracts.cutout import EdgesRefined
from pipeline.selftest import Trial, selftest

CLAY: Final = (176, 74, 40, 255)
NOTHING: Final = (0, 0, 0, 0)


def check(trial: Trial) -> None:
    """Check one pixel of the golden event's cutout inside the subject and one outside."""
    (picture,) = trial.run(handler, EdgesRefined).pictures

    with Image.open(io.BytesIO(trial.read(picture.artifact))) as image:
        trial.expect("inside the subject", image.getpixel((120, 140)), CLAY)
        trial.expect("outside the subject", image.getpixel((10, 10)), NOTHING)


if __name__ == "__main__":
    selftest("edge-refiner", check)

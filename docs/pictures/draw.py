"""Make the README's first picture: a photo beside its cutout, by u2netp with the default options.

    make weights && .venv/bin/python docs/pictures/draw.py

The photo is scikit-image's `coffee`, by Rachel Michetti, CC0.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from importlib.resources import files
from pathlib import Path
from typing import Final

from PIL import Image

sys.path.insert(0, str(Path(__file__).parents[2]))

from pipeline.cli.contact_sheet import checkerboard

PHOTO: Final = Path(str(files("skimage") / "data" / "coffee.png"))
HERE: Final = Path(__file__).parent
GAP: Final = 10  # pixels between photo and cutout


def main() -> None:
    """Cut out the photo, and write before-after.png next to this file."""
    kept = {name: text for name, text in os.environ.items() if not name.startswith("MATTELINE_")}
    with tempfile.TemporaryDirectory() as name:
        subprocess.run(
            [
                sys.executable, "-m", "pipeline", "run", str(PHOTO), "-o", name,
                "--model", "u2netp",
            ],
            check=True, cwd=HERE.parents[1], env=kept,
        )  # fmt: skip
        before = Image.open(PHOTO).convert("RGB")
        after = Image.open(Path(name) / f"{PHOTO.stem}_bg_removed.png")
        board = checkerboard(*after.size)
        board.paste(after, (0, 0), after)
    pair = Image.new("RGB", (before.width * 2 + GAP, before.height), "white")
    pair.paste(before, (0, 0))
    pair.paste(board, (before.width + GAP, 0))
    pair.quantize(256).save(HERE / "before-after.png", optimize=True)


if __name__ == "__main__":
    main()

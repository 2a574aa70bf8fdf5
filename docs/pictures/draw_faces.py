"""Make the pictures of docs/faces.md: a face that is found, and the same face hidden.

    make weights && .venv/bin/python docs/pictures/draw_faces.py

The photo is scikit-image's `astronaut`: Eileen Collins, by NASA, in the public domain.
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

PHOTO: Final = Path(str(files("skimage") / "data" / "astronaut.png"))
HERE: Final = Path(__file__).parent
GAP: Final = 10  # pixels between pictures
SIDE: Final = 400
REDACTIONS: Final = ("blur", "pixelate", "cover")


def main() -> None:
    """Write faces.jpg and faces-redacted.jpg next to this file."""
    with tempfile.TemporaryDirectory() as name:
        out = Path(name)
        _run(out, "--preview")
        _save([out / "astronaut_faces_preview.jpg"], "faces.jpg")
        for redaction in REDACTIONS:
            _run(out / redaction, "--redact", redaction)
        hidden = [out / redaction / "astronaut_faces_redacted.png" for redaction in REDACTIONS]
        _save(hidden, "faces-redacted.jpg")


def _run(out: Path, *options: str) -> None:
    kept = {name: text for name, text in os.environ.items() if not name.startswith("MATTELINE_")}
    subprocess.run(
        [
            sys.executable, "-m", "pipeline", "faces", str(PHOTO), "-o", str(out),
            "--model", "face-api-ssd", *options,
        ],
        check=True, cwd=HERE.parents[1], env=kept,
    )  # fmt: skip


def _save(pictures: list[Path], name: str) -> None:
    """Write pictures side by side."""
    wide = Image.new("RGB", (len(pictures) * (SIDE + GAP) - GAP, SIDE), "white")
    for number, path in enumerate(pictures):
        with Image.open(path) as image:
            resized = image.convert("RGB").resize((SIDE, SIDE), Image.Resampling.LANCZOS)
        wide.paste(resized, (number * (SIDE + GAP), 0))
    wide.save(HERE / name, quality=85, optimize=True, progressive=True)


if __name__ == "__main__":
    main()

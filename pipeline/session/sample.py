"""Make a recording in which somebody speaks, with the speech synthesiser of this machine."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Final

from pipeline.session.whole_files import whole_file

NAME: Final = "welcome.wav"
TEXT: Final = (
    "Welcome to Matteline. Photos that you put into the bucket lose their background. "
    "Recordings are written down, word by word, with the time of every word."
)
_WORDS_PER_MINUTE: Final = 150


def record_sample(folder: Path) -> Path:
    """Write the sample recording into a folder, unless it is there; return its path.

    Raises FileNotFoundError if espeak-ng is not installed.
    """
    path = folder / NAME
    if not path.exists():
        with whole_file(path) as partial:
            said = ("espeak-ng", "-v", "en", "-s", str(_WORDS_PER_MINUTE), "-w", str(partial), TEXT)
            subprocess.run(said, check=True, stdin=subprocess.DEVNULL)  # noqa: S603
    return path

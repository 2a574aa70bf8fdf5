"""The names of a network's labels, in the order of its output."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Final

from containers.audio_tagger.spec import Vocabulary

SILENCE: Final = "Silence"  # the label of both vocabularies for a window without sound

_FOLDER: Final = Path(__file__).parent / "labels"


@cache
def names_of(vocabulary: Vocabulary) -> tuple[str, ...]:
    """Return the labels of a vocabulary. Lines that begin with # are comments."""
    lines = (_FOLDER / f"{vocabulary}.txt").read_text(encoding="utf-8").splitlines()
    return tuple(line for line in lines if not line.startswith("#"))

"""What a run and a local cloud that is up must agree on for the run to use that cloud."""

from __future__ import annotations

import hashlib
import os
import sys
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Final

from pipeline.session.choice import ModelChoice, cache_folder

# Each term, and what to say of a cloud that has another one.
DIFFERENCES: Final = {
    "sources": "was started from other sources",
    "catalogue": "has another --catalogue",
    "licences": "accepts other licences",
    "mirror": "has another --mirror",
    "images": "differs in --images",
    "cache": "keeps weights in another folder",
    "batch": "was started without --batch",
}
_SOURCES: Final = ("containers", "pipeline", "state_machines")


def terms_of(root: Path, choice: ModelChoice) -> dict[str, str]:
    """Return the terms of a command of the repository at `root`, one for each of `DIFFERENCES`.

    The model is none of them: each photo names its own. AWS Batch is one only for who needs it.
    """
    mirror = choice.mirror or ""
    return {
        "sources": _digest([sys.prefix, sys.version, *_stated(_files_of(root))]),
        "catalogue": _digest(_stated(path.resolve() for path in choice.overlays)),
        "licences": " ".join(sorted(choice.accepted_licences)),
        "mirror": mirror if not mirror or "://" in mirror else str(Path(mirror).absolute()),
        "images": str(choice.images),
        "cache": str(cache_folder().absolute()),
        **({"batch": "there"} if choice.needs_batch else {}),
    }


def difference(ours: Mapping[str, str], theirs: Mapping[str, str]) -> str | None:
    """Return what to say of a cloud whose terms differ from ours; None if it has all of them."""
    different = (DIFFERENCES[term] for term, value in ours.items() if theirs.get(term) != value)
    return next(different, None)


def _files_of(root: Path) -> Iterator[Path]:
    for name in _SOURCES:
        for folder, folders, files in os.walk(root.resolve() / name):
            folders[:] = sorted(each for each in folders if each != "__pycache__")
            yield from (Path(folder, file) for file in sorted(files))


def _stated(paths: Iterator[Path]) -> Iterator[str]:
    """Yield path, size and time of each file: an edited file has another time."""
    for path in paths:
        found = path.stat()
        yield f"{path} {found.st_size} {found.st_mtime_ns}"


def _digest(texts: Iterable[str]) -> str:
    return hashlib.sha256("\n".join(texts).encode(errors="surrogateescape")).hexdigest()

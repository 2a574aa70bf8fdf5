"""Functions of a local cloud whose tasks of the faces machine are stubs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Final

from pipeline.local.deployment import NAMES
from pipeline.local.worker import Function

_STUBS: Final[Mapping[str, str]] = {
    "face-analyzer": "analyze_faces",
    "face-embedder": "embed_faces",
    "model-downloader": "stage",
}
_TASKS: Final = "tests.faces.stubs.tasks"


def with_stubs(function: Function) -> Function:
    """Return the function, with a stub as its handler if there is one."""
    for container, stub in _STUBS.items():
        if function.name.startswith(NAMES.function(container)):
            return replace(function, handler=f"{_TASKS}.{stub}")
    return function

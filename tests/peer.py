"""rembg, the tool whose masks people know, as an oracle: its own session classes, nothing of ours.

Importing rembg as a package compiles or loads pymatting's numba kernels, which masks do not need.
Its session modules are therefore imported below empty packages.
"""

from __future__ import annotations

import functools
import importlib
import io
import sys
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType
from typing import Any, Final

import numpy as np
import onnxruntime as ort
from PIL import Image, ImageOps

from pipeline.declared.models import ModelRow
from pipeline.photo.pixels import Pixels

_MODULES: Final = {"isnet-general-use": "dis_general_use", "isnet-anime": "dis_anime"}


def peer_session(row: ModelRow, weights: Path) -> Any:
    """rembg's session for a model of the catalogue, on weights of ours."""

    class OnOurWeights(_session_class(row.name)):  # type: ignore[misc]
        @classmethod
        def download_models(cls, *_: object, **__: object) -> str:
            return str(weights)

    return OnOurWeights(row.name, ort.SessionOptions())


def peer_pair_session(encoder: Path, decoder: Path) -> Any:
    """rembg's session for Segment Anything, on two networks of ours."""

    class OnOurWeights(_session_class("sam")):  # type: ignore[misc]
        @classmethod
        def download_models(cls, *_: object, **__: object) -> tuple[Path, Path]:
            return encoder, decoder

    return OnOurWeights("sam", ort.SessionOptions())


def peer_mask(session: Any, content: bytes) -> Pixels:
    """rembg's mask of a photo file at the photo's size: upright, stretched to its full range."""
    with Image.open(io.BytesIO(content)) as image:
        (mask,) = session.predict(ImageOps.exif_transpose(image))
    return np.asarray(mask)


@functools.cache
def _session_class(name: str) -> Any:
    module = _imported(_MODULES.get(name, name.replace("-", "_")))
    (found,) = {
        value
        for value in vars(module).values()
        if isinstance(value, type) and value.__module__ == module.__name__
    }
    return found


def _imported(module: str) -> ModuleType:
    """A session module of rembg; `sys.modules` is left without a trace of it."""
    spec = find_spec("rembg")
    assert spec is not None
    assert spec.origin is not None
    folder = Path(spec.origin).parent
    try:
        sys.modules["rembg"] = _bare("rembg", folder)
        sys.modules["rembg.sessions"] = sessions = _bare("rembg.sessions", folder / "sessions")
        parent = importlib.import_module("rembg.sessions.birefnet_general")
        vars(sessions)["BiRefNetSessionGeneral"] = parent.BiRefNetSessionGeneral
        return importlib.import_module(f"rembg.sessions.{module}")
    finally:
        for name in [name for name in sys.modules if name.partition(".")[0] == "rembg"]:
            del sys.modules[name]


def _bare(name: str, folder: Path) -> ModuleType:
    package = ModuleType(name)
    package.__path__ = [str(folder)]
    return package

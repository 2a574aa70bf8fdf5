"""Containers that start and answer wrongly, each with one fault.

A function serves `tests.release.faulty.<container's folder>`, for any container. The file at
`$FAULT` names the fault of its next answer.
"""

from __future__ import annotations

import importlib
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final, NoReturn

import numpy as np
import pytest

Handler = Callable[[dict[str, Any], Any], dict[str, Any]]
Fault = Callable[[pytest.MonkeyPatch], None]
SHIFT: Final = 32  # pixels
_PREDICT: Final = "containers.background_remover.engines.predict_mask"
_RENDER: Final = "containers.edge_refiner.handler.render"
_PROBE: Final = "pipeline.photo.pixels.probe"
_DOCUMENT: Final = "containers.http_api.openapi.DOCUMENT"
_PROVENANCE: Final = "pipeline.task.provenance_of"
_RESULT: Final = "pipeline.task._with_named_memory_errors"


def __getattr__(folder: str) -> Handler:
    def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
        module = importlib.import_module(f"containers.{folder}.handler")
        with pytest.MonkeyPatch.context() as patch:
            FAULTS[Path(os.environ["FAULT"]).read_text()](patch)
            return dict(module.handler(event, context))

    return handler


def _changed(function: str, change: Callable[[Any], Any]) -> Fault:
    """Change what a function returns."""

    def fault(patch: pytest.MonkeyPatch) -> None:
        module, _, name = function.rpartition(".")
        original = getattr(importlib.import_module(module), name)
        patch.setattr(function, lambda *given, **options: change(original(*given, **options)))

    return fault


def _pixels(change: Callable[[Any], Any]) -> Fault:
    """Change the pixels of every output image."""

    def changed(pictures: Any) -> list[Any]:
        return [
            each._replace(pixels=np.ascontiguousarray(change(each.pixels), dtype=np.uint8))
            for each in pictures
        ]

    return _changed(_RENDER, changed)


def _shifted(picture: Any) -> Any:
    return np.roll(picture, SHIFT, axis=1)


def _not_turned(header: Any) -> Any:
    return header._replace(width=header.height, height=header.width)


def _other_checksum(result: Any) -> Any:
    (picture,) = result.pictures
    artifact = picture.artifact.model_copy(update={"sha256": "0" * 64})
    changed = picture.model_copy(update={"artifact": artifact})
    return result.model_copy(update={"pictures": (changed,)})


def _nothing_staged(result: Any) -> Any:
    nowhere = result.manifest.model_copy(update={"uri": f"{result.manifest.uri}.gone"})
    return result.model_copy(update={"manifest": nowhere})


def _cut_short(result: Any) -> Any:
    short = result.metrics | dict.fromkeys(result.metrics.keys() & {"duration_s", "sound_s"}, 1.0)
    return result.model_copy(update={"metrics": short})


def _unsupported(_: object) -> NoReturn:
    from pipeline.errors import UnsupportedMedia

    raise UnsupportedMedia("as seen in production")


def _bug(_: object) -> NoReturn:
    raise ZeroDivisionError("as seen in production")


FAULTS: Final[dict[str, Fault]] = {
    "none": lambda _: None,
    "other version": _changed(_PROVENANCE, lambda it: it.model_copy(update={"version": "0.0.1"})),
    "bug": _changed(_RESULT, _bug),
    "blank mask": _changed(_PREDICT, np.zeros_like),
    "full mask": _changed(_PREDICT, lambda mask: np.full_like(mask, 255)),
    "shifted mask": _changed(_PREDICT, _shifted),
    "blank cutout": _pixels(np.zeros_like),
    "opaque cutout": _pixels(lambda picture: picture[..., :3]),
    "black cutout": _pixels(lambda picture: picture * [0, 0, 0, 1]),
    "shifted cutout": _pixels(_shifted),
    "half the size": _pixels(lambda picture: picture[::2, ::2]),
    "other checksum": _changed(_RESULT, _other_checksum),
    "not turned": _changed(_PROBE, _not_turned),
    "photo rejected": _changed(_PROBE, _unsupported),
    "no description": lambda patch: patch.setattr(_DOCUMENT, Path(os.devnull)),
    "nothing staged": _changed(_RESULT, _nothing_staged),
    "no speech": _changed(_RESULT, lambda it: it.model_copy(update={"speech_s": 0.0})),
    "no words": _changed(_RESULT, lambda it: it.model_copy(update={"words": 0})),
    "other part": _changed(_RESULT, lambda it: it.model_copy(update={"part": it.part + 1})),
    "sound cut short": _changed(_RESULT, _cut_short),
    "other model": _changed(_RESULT, lambda it: it.model_copy(update={"model": "u2net"})),
}

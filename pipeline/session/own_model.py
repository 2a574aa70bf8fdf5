"""Describe a user's own ONNX file as a catalogue row."""

from __future__ import annotations

import json
import math
import subprocess
import sys
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal

from pydantic import ValidationError

from pipeline.contracts.weights import NetworkDescription, NetworkQuestion
from pipeline.declared.catalogue import Catalogue
from pipeline.declared.declaration import MOST_MEMORY_MB
from pipeline.errors import InvalidOptions
from pipeline.session.session import staging_container
from pipeline.session.whole_files import is_full, whole_file
from pipeline.weights.local_weights import checksums

Triple = tuple[float, float, float]

_ENGINE: Final = "saliency"
_BESIDE_MB: Final = 1024  # a decoded photo of 100 megapixels, and the runtime
_STEP_MB: Final = 256


@dataclass(frozen=True)
class Wishes:
    """The user's facts about a model, which its file does not contain."""

    name: str
    summary: str
    licence: str
    commercial: bool
    scale: float | Literal["max"]
    mean: Triple
    std: Triple
    activation: Literal["none", "sigmoid"] | None


def inspect_network(
    root: Path, path: Path, wishes: Wishes, *, input_size: int | None
) -> NetworkDescription:
    """Have the container that stages weights describe the file.

    It runs in a separate process, because only images that ship onnxruntime may load it. Raises
    InvalidOptions if the file is not a network that the platform can use.
    """
    brightest = 1.0 if wishes.scale == "max" else 255 / wishes.scale
    channels = list(zip(wishes.mean, wishes.std, strict=True))
    black = min(-mean / std for mean, std in channels)
    white = max((brightest - mean) / std for mean, std in channels)
    question = NetworkQuestion(
        path=path.absolute(), black=black, white=white, input_size=input_size
    )
    done = subprocess.run(  # noqa: S603 - our own interpreter and module
        [sys.executable, "-m", staging_container(root).package, question.model_dump_json()],
        cwd=root, capture_output=True, text=True, check=False,
    )  # fmt: skip
    if done.returncode:
        _, _, message = done.stderr.strip().partition(": ")  # of an error's name
        raise InvalidOptions(message or f"{path.name} could not be inspected")
    return NetworkDescription.model_validate_json(done.stdout)


def describe_row(
    path: Path,
    found: NetworkDescription,
    wishes: Wishes,
    *,
    shipped: Catalogue,
    catalogue: Path | None,
) -> str:
    """Return the row as TOML, checked against the `shipped` catalogue.

    Its address is relative to the folder of `catalogue` if the file is in it. Raises
    InvalidOptions if a field is invalid.
    """
    text = _toml(path.absolute(), found, wishes, catalogue)
    try:
        shipped.with_rows(tomllib.loads(text)["models"], path.absolute().parent)
    except ValidationError as error:
        wrong = error.errors()[0]
        field = ".".join(str(part) for part in wrong["loc"])
        raise InvalidOptions(f"{field}: {wrong['msg']}") from error
    return text


def append_row(catalogue: Path, row: str) -> None:
    """Append a row to a catalogue file; a new file is created.

    The file is replaced as a whole: on a full disk it keeps the rows that it had, and the OSError
    is raised. Raises InvalidOptions if the file cannot be written for another reason.
    """
    if catalogue.exists() and not catalogue.is_file():
        raise InvalidOptions(f"cannot write {catalogue}: it is not a file")
    try:
        rows = catalogue.read_bytes() if catalogue.exists() else b""
        with whole_file(catalogue) as partial:
            partial.write_bytes(rows + row.encode())
    except OSError as error:
        if is_full(error):
            raise
        raise InvalidOptions(f"cannot write {catalogue}: {error.strerror}") from error


def _toml(path: Path, found: NetworkDescription, wishes: Wishes, catalogue: Path | None) -> str:
    row = {
        "name": wishes.name,
        "summary": wishes.summary,
        "engine": _ENGINE,
        "licence": wishes.licence,
        "commercial": wishes.commercial,
        "memory_mb": _memory_mb(found),
    }
    file = {
        "name": path.name,
        "digest": f"sha256:{checksums(path)['sha256']}",
        "bytes": path.stat().st_size,
        "urls": [_address(path, catalogue)],
    }
    head, body = ["", "[[models]]", *_fields(row)], _saliency(found, wishes)
    return "\n".join([*head, *body, "", "[[models.files]]", *_fields(file), ""])


def _saliency(found: NetworkDescription, wishes: Wishes) -> list[str]:
    """Return the measured output, as a comment, and the engine's table.

    Names from the file are quoted, because they are not trusted.
    """
    shape = "×".join(str(axis) for axis in found.output_shape)
    answer = f"a gradient gave {found.lowest:.3g} to {found.highest:.3g}"
    spec = {
        "input_size": found.input_size,
        "scale": wishes.scale,
        "mean": wishes.mean,
        "std": wishes.std,
        "activation": wishes.activation or _activation(found),
    }
    return [
        f"# Output {json.dumps(found.output_name)}, {shape}; {answer}.",
        f"{_ENGINE} = {{ {', '.join(_fields(spec))} }}",
    ]


def _fields(values: Mapping[str, Any]) -> list[str]:
    """Return TOML lines; JSON's strings, numbers, lists and booleans are valid TOML."""
    return [f"{name} = {json.dumps(value, ensure_ascii=False)}" for name, value in values.items()]


def _activation(found: NetworkDescription) -> Literal["none", "sigmoid"]:
    """Return `none` for probabilities, which stay between 0 and 1, and `sigmoid` for logits."""
    return "none" if found.lowest >= 0 and found.highest <= 1 else "sigmoid"


def _memory_mb(found: NetworkDescription) -> int:
    needed = math.ceil((found.peak_mb + _BESIDE_MB) / _STEP_MB) * _STEP_MB
    return min(needed, MOST_MEMORY_MB)


def _address(path: Path, catalogue: Path | None) -> str:
    folder = catalogue.absolute().parent if catalogue else None
    if folder and path.is_relative_to(folder):
        return f"file:{path.relative_to(folder)}"
    return path.as_uri()

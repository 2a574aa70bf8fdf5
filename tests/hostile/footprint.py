"""Photos, each in a process of its own: what it took, beside what it said that it would take.

`python -m tests.hostile.footprint` reads recipes from its standard input and prints figures.
"""

from __future__ import annotations

import ctypes
import io
import json
import multiprocessing
import resource
import sys
import warnings
import zlib
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt
from PIL import Image

from containers.edge_refiner.alpha import estimate_alpha
from containers.edge_refiner.budget import Budget, refining_bytes
from containers.edge_refiner.pictures import render
from pipeline import hardware
from pipeline.contracts.contract import SourcePhoto
from pipeline.contracts.cutout import CutoutOptions
from pipeline.errors import PipelineError
from pipeline.photo.colour.spaces import ADOBE_RGB
from pipeline.photo.encoding import encode
from pipeline.photo.pixels import Photo, decode
from tests.pipeline.photo.handmade import PNG, chunk, header, rows

_LIMIT_KIND: Final = resource.RLIMIT_DATA
_MEBIBYTE: Final = 2**20


def main() -> None:
    """One fork for each recipe: none finds memory that another one left."""
    recipes = json.load(sys.stdin)
    with multiprocessing.get_context("fork").Pool(1, maxtasksperchild=1) as pool:
        print(json.dumps(pool.map(measure, recipes, chunksize=1)))  # noqa: T201


def measure(recipe: dict[str, Any]) -> dict[str, Any]:
    """Decode and, if it says so, refine; with no more than `limit_mb` beside the start.

    What drawing has freed is given back first, or the limit would mean nothing.
    """
    warnings.simplefilter("ignore")
    content = drawn(recipe)
    promised: list[int] = []
    ctypes.CDLL(None).malloc_trim(0)
    started_mb = _reset_peak()
    if "limit_mb" in recipe:
        held = _kilobytes("VmData") * 2**10
        resource.setrlimit(_LIMIT_KIND, (held + recipe["limit_mb"] * _MEBIBYTE,) * 2)
    try:
        end = _run(recipe, content, promised)
    except (PipelineError, MemoryError) as error:
        end = type(error).__name__
    took_mb = hardware.peak_mb() - started_mb
    promised_mb = (sum(promised) + len(content)) / _MEBIBYTE  # a trimmed copy of the file
    return {"end": end, "took_mb": took_mb, "promised_mb": promised_mb}


def drawn(recipe: dict[str, Any]) -> bytes:
    """Noise, which compresses worst: `side`² pixels of a `mode`, saved with `options`.

    Noise takes video encoders minutes, so their noise is coarse.
    """
    side, mode = recipe["side"], recipe["mode"]
    dice = np.random.default_rng(1)
    if mode == "RGB;10":
        return _ten_bits(np.full((side, side, 3), 700, dtype=np.uint16), recipe["options"])
    if mode == "RGB;16":
        return _deep(dice.integers(0, 2**16, (side, side, 3), dtype=np.uint16), recipe)
    if mode in {"I;16", "I"}:
        grey = dice.integers(0, 2**16, (side, side))
        image = Image.fromarray(grey.astype(np.uint16 if mode == "I;16" else np.int32))
    elif mode == "P":
        image = Image.fromarray(dice.integers(0, 256, (side, side), dtype=np.uint8))
        image.putpalette(bytes(range(256)) * 3)
    else:
        colours = dice.integers(0, 256, (side, side, 4), dtype=np.uint8)
        image = Image.fromarray(colours).convert(mode)
        if recipe["format"] in {"HEIF", "AVIF"}:
            image = image.reduce(16).resize(image.size)
    if recipe["format"] == "HEIF":
        from pillow_heif.as_plugin import register_heif_opener  # in this process only

        register_heif_opener()
    buffer = io.BytesIO()
    profile = {"icc_profile": ADOBE_RGB.profile()} if recipe.get("adobe") else {}
    image.save(buffer, recipe["format"], **profile, **recipe.get("options", {}))
    return buffer.getvalue()


def _deep(samples: npt.NDArray[np.uint16], recipe: dict[str, Any]) -> bytes:
    """RGB of 16 bits a channel, which Pillow does not write."""
    if recipe["format"] == "PNG":
        height, width = samples.shape[:2]
        key = chunk(b"tRNS", bytes(6))
        pixels = chunk(b"IDAT", zlib.compress(rows(samples), 1))
        return PNG + header(width, height, depth=16) + key + pixels + chunk(b"IEND", b"")
    import tifffile  # in this process only: what an import frees is there for the decoder

    buffer = io.BytesIO()
    planes = np.moveaxis(samples, 2, 0)
    tifffile.imwrite(
        buffer, planes, photometric="rgb", planarconfig="separate", **recipe.get("options", {})
    )
    return buffer.getvalue()


def _ten_bits(samples: npt.NDArray[np.uint16], options: dict[str, Any]) -> bytes:
    from pillow_heif.heif import from_bytes  # in this process only

    buffer = io.BytesIO()
    size = samples.shape[1], samples.shape[0]
    from_bytes("RGB;10", size, samples.tobytes()).save(buffer, **options)
    return buffer.getvalue()


def _run(recipe: dict[str, Any], content: bytes, promised: list[int]) -> str:
    if not recipe.get("refine"):
        decode(content, in_srgb=recipe.get("in_srgb", False), reserve=promised.append).on_white()
        return "decoded"
    photo = decode(content, reserve=lambda _wanted: None)
    options = CutoutOptions.model_validate(
        {"model": "any", "outputs": ["cutout", "mask", "preview"], **recipe["refine"]}
    )
    promised.append(refining_bytes(_source(photo), options))
    mask = np.zeros((320, 320), dtype=np.uint8)
    mask[80:240, 80:240] = 255
    _, alpha = estimate_alpha(photo, mask, mode="auto", budget=Budget(4096))
    for picture in render(photo, alpha, options):
        encode(picture.pixels, picture_format=picture.format, effort=options.effort)
    return "refined"


def _source(photo: Photo) -> SourcePhoto:
    height, width = photo.rgb.shape[:2]
    return SourcePhoto(
        bucket="b", key="k", version_id=None, etag="", sha256="", bytes=0,
        media_type="", width=width, height=height,
    )  # fmt: skip


def _reset_peak() -> float:
    """Start measuring anew; what the process holds now, in MB."""
    Path("/proc/self/clear_refs").write_text("5")
    return _kilobytes("VmRSS") / 2**10


def _kilobytes(figure: str) -> int:
    status = Path("/proc/self/status").read_text()
    return int(status.partition(f"{figure}:")[2].split()[0])


if __name__ == "__main__":
    main()

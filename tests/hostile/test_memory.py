"""A photo takes no more memory than it says before it is decoded; what does not fit says so."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any, Final

import pytest

from containers.edge_refiner.budget import refining_bytes
from pipeline.artifacts import LocalStore, Location
from pipeline.contracts.contract import SourcePhoto
from pipeline.contracts.cutout import CutoutOptions
from pipeline.declared.catalogue import load_catalogue
from pipeline.declared.containers import load_container
from pipeline.photo.limits import MAX_PIXELS
from tests.conftest import ROOT
from tests.hostile.desk import Desk
from tests.models import Shelf
from tests.pictures import png
from tests.pipeline.photo.pictures import drawn

SIDE: Final = 2_000
FAST: Final = {"quality": 5, "enc_params": {"preset": "ultrafast"}}
BESIDE_MB: Final = 350  # Python, the libraries and the file: what `require_free` finds in use
KINDS: Final[dict[str, dict[str, Any]]] = {
    "JPEG": {"format": "JPEG", "mode": "RGB"},
    "progressive JPEG": {
        "format": "JPEG", "mode": "RGB", "options": {"progressive": True, "subsampling": 0},
    },
    "CMYK JPEG": {"format": "JPEG", "mode": "CMYK"},
    "PNG": {"format": "PNG", "mode": "RGB", "options": {"compress_level": 1}},
    "PNG with alpha": {"format": "PNG", "mode": "RGBA", "options": {"compress_level": 1}},
    "palette PNG": {"format": "PNG", "mode": "P"},
    "16-bit PNG": {"format": "PNG", "mode": "I;16", "options": {"compress_level": 1}},
    "lossless WEBP": {
        "format": "WEBP", "mode": "RGBA", "options": {"lossless": True, "method": 0, "quality": 0},
    },
    "TIFF": {"format": "TIFF", "mode": "RGBA", "options": {"compression": "tiff_lzw"}},
    "32-bit TIFF": {"format": "TIFF", "mode": "I"},
    "TIFF in one strip": {
        "format": "TIFF", "mode": "RGB",
        "options": {"compression": "tiff_lzw", "strip_size": 2**30},
    },
    "TIFF of 16-bit planes": {"format": "TIFF", "mode": "RGB;16"},
    "16-bit PNG with a transparent colour": {"format": "PNG", "mode": "RGB;16"},
    "PNG in Adobe RGB": {
        "format": "PNG", "mode": "RGB", "in_srgb": True, "adobe": True,
        "options": {"compress_level": 1},
    },
    "palette PNG in Adobe RGB": {
        "format": "PNG", "mode": "P", "in_srgb": True, "adobe": True,
    },
    "BMP": {"format": "BMP", "mode": "RGB"},
    "GIF": {"format": "GIF", "mode": "P"},
    "HEIC": {"format": "HEIF", "mode": "RGB", "options": FAST},
    "HEIC with alpha": {"format": "HEIF", "mode": "RGBA", "options": FAST},
    "HEIC of 10 bits": {"format": "HEIF", "mode": "RGB;10", "options": FAST},
    "HEIC of tiles": {
        "format": "HEIF", "mode": "RGB", "options": {**FAST, "tile_size": 512},
    },
    "AVIF": {"format": "AVIF", "mode": "RGB", "options": {"quality": 20, "speed": 10}},
    "AVIF of 4:4:4 with alpha": {
        "format": "AVIF", "mode": "RGBA",
        "options": {"quality": 20, "speed": 10, "subsampling": "4:4:4"},
    },
}  # fmt: skip


# Other decoders say the same of a file that is broken; there, asking beforehand has to do.
NAMING: Final = [kind for kind in KINDS if not re.search("WEBP|HEIC|AVIF", kind)]
REFINED: Final = ("PNG", "PNG with alpha", "lossless WEBP")
WISHES: Final[tuple[dict[str, Any], ...]] = (
    {"format": "png"}, {"format": "webp"}, {"background": "#00ff00"},
)  # fmt: skip
REFININGS: Final = (
    *((kind, wish) for kind in REFINED for wish in WISHES),
    ("PNG with alpha", {"format": "avif"}),
    ("PNG with alpha", {"format": "avif", "size": 1_900}),
    ("PNG", {"format": "jpeg", "background": "#00ff00"}),
)
LIMIT_MB: Final = 1


@pytest.fixture(scope="module")
def measured() -> dict[str, dict[str, Any]]:
    """What each photo did in a process of its own; a crash of one fails them all."""
    recipes = {f"{kind}, decoded": recipe for kind, recipe in KINDS.items()}
    recipes |= {f"{kind}, starved": {**KINDS[kind], "limit_mb": LIMIT_MB} for kind in NAMING}
    recipes |= {f"{kind}, {wish}": {**KINDS[kind], "refine": wish} for kind, wish in REFININGS}
    child = subprocess.run(
        [sys.executable, "-m", "tests.hostile.footprint"],
        input=json.dumps([{"side": SIDE, **recipe} for recipe in recipes.values()]),
        cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True, timeout=110,
    )  # fmt: skip
    return dict(zip(recipes, json.loads(child.stdout), strict=True))


@pytest.mark.parametrize("kind", KINDS)
def test_decoding_takes_no_more_than_it_says_beforehand(
    measured: dict[str, dict[str, Any]], kind: str
) -> None:
    figures = measured[f"{kind}, decoded"]

    assert figures["end"] == "decoded"
    assert figures["took_mb"] <= figures["promised_mb"]


@pytest.mark.parametrize(("kind", "wish"), REFININGS, ids=str)
def test_refining_takes_no_more_than_it_says_beforehand(
    measured: dict[str, dict[str, Any]], kind: str, wish: dict[str, Any]
) -> None:
    figures = measured[f"{kind}, {wish}"]

    assert figures["end"] == "refined"
    assert figures["took_mb"] <= figures["promised_mb"]


@pytest.mark.parametrize("kind", NAMING)
def test_where_memory_ends_it_is_memory_that_is_named(
    measured: dict[str, dict[str, Any]], kind: str
) -> None:
    assert measured[f"{kind}, starved"]["end"] in {"OutOfMemory", "MemoryError"}


def test_a_photo_that_does_not_fit_is_refused_before_it_is_decoded(
    shelf: Shelf, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk = Desk(LocalStore(tmp_path / "store"), shelf, tmp_path, memory_mb=128)
    desk.sit_down(monkeypatch)
    monkeypatch.setattr("PIL.ImageFile.ImageFile.load", None)
    desk.store.write(Location("photos", "cat.png"), png(drawn()), media_type="")

    end = desk.run({"bucket": "photos", "key": "cat.png"})

    assert end.name == "OutOfMemory"
    assert end.message.endswith("the function has 128 MB")


def test_the_largest_photo_fits_into_the_refiner() -> None:
    side = round(MAX_PIXELS**0.5)
    source = SourcePhoto(
        bucket="b", key="k", version_id=None, etag="", sha256="", bytes=0,
        media_type="", width=side, height=side,
    )  # fmt: skip

    room = load_container(ROOT / "containers" / "edge_refiner").memory_mb - BESIDE_MB
    assert refining_bytes(source) / 2**20 <= room
    avif = CutoutOptions(model="any", format="avif")
    assert refining_bytes(source, avif) / 2**20 <= room


def test_the_largest_photo_fits_beside_every_model() -> None:
    most = MAX_PIXELS * 8 / 2**20
    rows = load_catalogue(ROOT).rows_of("background-remover")

    assert [row.name for row in rows if row.memory_mb - BESIDE_MB < most] == []

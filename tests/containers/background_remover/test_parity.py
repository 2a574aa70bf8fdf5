"""Every saliency row gives the mask that rembg gives with the same file and the same photo.

What is left between them is rounding, and the averaging before our resampling of large photos.
"""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any, Final

import numpy as np
import pytest
from PIL import Image

from containers.background_remover.saliency import SaliencySpec
from pipeline.cli.runs import sample_photos
from pipeline.declared.catalogue import load_catalogue
from tests.conftest import ROOT
from tests.containers.background_remover.parity import Pair

NOT_THE_PEERS: Final = (  # it has no session of theirs
    "starter", "birefnet-matting", "birefnet-toonout", "birefnet-hr", "birefnet-hr-matting",
)  # fmt: skip
ROWS: Final = {
    row.name: row
    for row in load_catalogue(ROOT).rows
    if row.engine.name == "saliency" and row.name not in NOT_THE_PEERS
}
FAMILIES: Final = ("u2netp", "isnet-general-use", "isnet-anime", "birefnet-general")
BOTH_SIZES: Final = ("u2netp", "birefnet-general")


@pytest.fixture
def pair(request: pytest.FixtureRequest, tmp_path: Path) -> Pair:
    return Pair(ROWS[request.param], tmp_path)


def saved(image: Image.Image, picture_format: str = "PNG", **options: Any) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, picture_format, **options)
    return buffer.getvalue()


def dim_photo() -> Image.Image:
    """A person in poor light: its brightest level is 85, so that a wrong scale shows."""
    with Image.open(sample_photos()[0]) as image:
        return Image.fromarray(np.asarray(image.convert("RGB")) // 3)


def large_photo(width: int, height: int) -> bytes:
    """Smooth colours under the grain of a camera, as a JPEG."""
    dice = np.random.default_rng(1)
    smooth = Image.fromarray(dice.integers(0, 255, (24, 32, 3), dtype=np.uint8))
    colours = np.asarray(smooth.resize((width, height), Image.Resampling.BICUBIC))
    grain = dice.normal(0, 20, (height, width, 1))
    return saved(Image.fromarray(np.clip(colours + grain, 0, 255).astype(np.uint8)), "JPEG")


def turned() -> bytes:
    exif = Image.Exif()
    exif[0x0112] = 6
    return saved(dim_photo().crop((0, 0, 300, 500)), "JPEG", quality=95, exif=exif)


def half_hidden(*, behind: str | None) -> bytes:
    """A photo whose left half is transparent, or that photo on a colour."""
    photo = dim_photo()
    alpha = Image.new("L", photo.size, 255)
    alpha.paste(0, (0, 0, photo.width // 2, photo.height))
    if behind:
        return saved(Image.composite(photo, Image.new("RGB", photo.size, behind), alpha))
    photo.putalpha(alpha)
    return saved(photo)


ODD: Final = {
    "grey": saved(dim_photo().convert("L")),
    "palette": saved(dim_photo().convert("P")),
    "CMYK": saved(dim_photo().convert("CMYK"), "TIFF"),
    "opaque alpha": saved(dim_photo().convert("RGBA")),
    "turned by EXIF": turned(),
    "black": saved(Image.new("RGB", (40, 30))),
    "one pixel": saved(Image.new("RGB", (1, 1), "#305070")),
    "one row": saved(dim_photo().crop((0, 200, 512, 201))),
    "one column": saved(dim_photo().crop((200, 0, 201, 512))),
    "a thumbnail": saved(dim_photo().resize((7, 5))),
}


@pytest.mark.parametrize("pair", ROWS, indirect=True)
def test_a_row_gives_the_peers_mask(pair: Pair) -> None:
    assert pair.session.name().replace("_", "-") == pair.row.name
    assert pair.distance(saved(dim_photo())).is_rounding


@pytest.mark.parametrize("pair", BOTH_SIZES, indirect=True)
@pytest.mark.parametrize("size", [(640, 427), (1000, 3000), (4000, 3000)])
def test_so_does_a_photo_that_is_made_smaller(pair: Pair, size: tuple[int, int]) -> None:
    assert pair.distance(large_photo(*size)).is_rounding


@pytest.mark.parametrize("pair", BOTH_SIZES, indirect=True)
@pytest.mark.parametrize("odd", ODD.values(), ids=ODD)
def test_so_does_a_photo_of_an_odd_kind(pair: Pair, odd: bytes) -> None:
    assert pair.distance(odd).is_rounding


@pytest.mark.parametrize("pair", BOTH_SIZES, indirect=True)
def test_what_alpha_hides_is_white_to_us_and_shown_to_the_peer(pair: Pair) -> None:
    hidden = half_hidden(behind=None)

    assert pair.distance(hidden, shown=half_hidden(behind="white")).is_rounding
    assert not pair.distance(hidden).is_rounding


SLIPS: Final[dict[str, dict[str, Any]]] = {
    "mean": {"mean": (0.5, 0.48, 0.42)},
    "std": {"std": (0.25, 0.25, 0.25)},
    "scale": {"scale": 255.0},
}


@pytest.mark.parametrize("pair", FAMILIES, indirect=True)
@pytest.mark.parametrize("slip", SLIPS.values(), ids=SLIPS)
def test_a_slip_in_a_row_is_seen(pair: Pair, slip: dict[str, Any]) -> None:
    assert not pair.distance(saved(dim_photo()), **slip).is_rounding


@pytest.mark.parametrize("pair", FAMILIES, indirect=True)
def test_a_sigmoid_too_few_or_too_many_is_seen(pair: Pair) -> None:
    other = {"none": "sigmoid", "sigmoid": "none"}[pair.row.spec(SaliencySpec).activation]

    assert not pair.distance(saved(dim_photo()), activation=other).is_rounding


@pytest.mark.parametrize("pair", FAMILIES, indirect=True)
def test_channels_in_another_order_are_seen(pair: Pair) -> None:
    reversed_channels = Image.merge("RGB", dim_photo().split()[::-1])

    slipped = pair.distance(saved(reversed_channels), shown=saved(dim_photo()))

    assert not slipped.is_rounding


@pytest.mark.parametrize("pair", FAMILIES, indirect=True)
@pytest.mark.parametrize("kernel", [Image.Resampling.BICUBIC, Image.Resampling.BILINEAR])
def test_another_resampling_kernel_is_seen(pair: Pair, kernel: Image.Resampling) -> None:
    side = pair.row.spec(SaliencySpec).input_size
    # At the network's own size nothing is left for the engine to resample.
    resampled = saved(dim_photo().resize((side, side), kernel))

    assert not pair.distance(resampled, shown=saved(dim_photo())).is_rounding

"""Random damage to files, profiles, requests, prompts and keys always has a named outcome."""

from __future__ import annotations

import json
import struct
from typing import Any, Final

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from containers.edge_refiner.alpha import estimate_alpha
from containers.edge_refiner.budget import Budget
from containers.media_inspector.options import canonical, merge_options
from containers.media_inspector.request import read_request
from pipeline.contracts.contract import InspectMedia
from pipeline.contracts.cutout import CutoutOptions, PictureKind, picture_key
from pipeline.contracts.output_keys import (
    S3_KEY_LIMIT_BYTES,
    output_stem,
)
from pipeline.errors import InvalidOptions, InvalidPrompt, PermanentError
from pipeline.photo.formats import FORMATS, Format
from pipeline.photo.pixels import Photo, decode, probe
from pipeline.photo.prompts import SubjectPrompt, in_pixels
from tests.hostile import colours
from tests.hostile.case import picture, saved
from tests.hostile.oddities import SIGNATURES
from tests.pictures import Pixels
from tests.pipeline.photo.handmade import interlaced_png, png, tiff, tiff_entries, webp_canvas
from tests.pipeline.photo.heif.files import tiled
from tests.pipeline.photo.icc import colourless_press, linear_grey
from tests.pipeline.photo.pictures import drawn, exif, noise

pytestmark = pytest.mark.filterwarnings("ignore")  # Pillow warns about damage that it tolerates

FILES, PROFILES, REQUESTS, PROMPTS, PICTURES = 2_000, 400, 1_500, 1_000, 60
STRIP: Final = drawn().tobytes()
SEEDS: Final = (
    saved(picture(), "JPEG", exif=exif(6), icc_profile=linear_grey(), comment=b"hello"),
    saved(picture(), "JPEG", progressive=True),
    saved(picture(), "JPEG", restart_marker_rows=1),
    saved(picture().convert("CMYK"), "JPEG", icc_profile=colourless_press()),
    png(),
    interlaced_png(drawn()),
    saved(picture().quantize(8), "PNG", transparency=b"\1\2", exif=exif(8)),
    saved(picture(), "WEBP", lossless=True, exif=exif(5)),
    saved(picture(), "WEBP", quality=80),
    webp_canvas(96, 64, saved(picture(), "WEBP", lossless=True)),
    tiff(tiff_entries(len(STRIP)), STRIP),
    saved(picture(), "TIFF", compression="tiff_lzw"),
    saved(picture(), "TIFF", big_tiff=True),
    *colours.SEEDS,
    saved(picture(), "BMP"),
    saved(picture(), "GIF", save_all=True, append_images=[noise()]),
    saved(picture().convert("RGBA"), "HEIC", exif=exif(6), icc_profile=linear_grey()),
    saved(noise().convert("L"), "HEIC"),
    tiled("HEIC"),
    saved(picture().convert("RGBA"), "AVIF", exif=exif(6), icc_profile=linear_grey()),
    saved(picture(), "AVIF", save_all=True, append_images=[noise()]),
    tiled("AVIF"),
)
NUMBERS: Final = (0, 1, 2, 0x7F, 0x80, 0xFF, 0x7FFF, 0xFFFF, 0x7FFFFFFF, 0xFFFFFFFF)
anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=9),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=9), inner, max_size=3)
    ),
    max_leaves=9,
)
RECORD = "_bg_removed.json"
KINDS: tuple[PictureKind, ...] = ("cutout", "mask", "preview")
fields = st.dictionaries(
    st.sampled_from([*CutoutOptions.model_fields, "speed"]), anything, max_size=4
)
values = st.floats() | st.sampled_from([0, -0.0, 0.5, 1, 799.9995, 800, 800.0005])


@st.composite
def damaged(draw: st.DrawFn) -> bytes:
    """Draw a file with changed bytes, extreme numbers, parts repeated or removed, cut short."""
    content = bytearray(draw(st.sampled_from(SEEDS)))
    for _ in range(draw(st.integers(0, 5))):
        at = draw(st.integers(0, len(content) - 1) | st.integers(0, min(200, len(content) - 1)))
        match draw(st.sampled_from(["byte", "number", "double", "gone"])):
            case "byte":
                content[at] = draw(st.integers(0, 255))
            case "number":
                order = draw(st.sampled_from([">I", "<I", ">H", "<H"]))
                number = struct.pack(
                    order, draw(st.sampled_from(NUMBERS)) % 256 ** struct.calcsize(order)
                )
                content[at : at + len(number)] = number
            case "double":
                content[at:at] = content[at : at + draw(st.integers(1, 80))]
            case "gone":
                del content[at : at + draw(st.integers(1, 80))]
        if not content:
            break
    return bytes(content[: draw(st.just(len(content)) | st.integers(0, len(content)))])


@settings(max_examples=FILES, suppress_health_check=list(HealthCheck))
@given(damaged(), st.sampled_from([None, 16]))
def test_a_damaged_file_is_a_photo_or_refused_by_name(
    content: bytes, least_side: int | None
) -> None:
    try:
        header = probe(content)
        photo = decode(content, least_side=least_side)
    except PermanentError:
        return
    assert photo.rgb.dtype == np.uint8
    if least_side is None:
        assert photo.rgb.shape == (header.height, header.width, 3)
    assert photo.alpha is None or photo.alpha.shape == photo.rgb.shape[:2]


@settings(max_examples=FILES // 4)
@given(
    st.sampled_from(SEEDS),
    st.sampled_from(FORMATS),
    st.binary(max_size=400),
)
def test_any_bytes_are_prepared_or_refused(seed: bytes, kind: Format, random: bytes) -> None:
    start = SIGNATURES[kind.name]
    for mixed in (start + random, start + random + seed):
        try:
            prepared = kind.prepare(mixed)
        except PermanentError:
            continue
        # A TIFF may get another directory; its entries are those of the file.
        assert len(prepared) <= (2 * len(mixed) + 32 if kind.name == "TIFF" else len(mixed))


@settings(max_examples=PROFILES)
@given(
    st.sampled_from([linear_grey(), colourless_press()]),
    st.lists(st.tuples(st.floats(0, 1, exclude_max=True), st.integers(0, 255)), max_size=8),
    st.sampled_from(["L", "CMYK", "RGB"]),
)
def test_a_photo_with_a_damaged_profile_is_decoded(
    profile: bytes, changes: list[tuple[float, int]], mode: str
) -> None:
    broken = bytearray(profile)
    for place, value in changes:
        broken[int(place * len(broken))] = value
    content = saved(picture().convert(mode), "TIFF", icc_profile=bytes(broken))

    assert decode(content).rgb.shape == (64, 96, 3)


@settings(max_examples=REQUESTS)
@given(
    anything,
    st.dictionaries(
        st.sampled_from(
            ["bucket", "key", "options", "force", "version_id", "detail-type", "detail"]
        ),
        anything,
    ),
)
def test_any_input_is_a_request_or_refused(value: Any, typed: dict[str, Any]) -> None:
    for given_input in (value, typed, {"bucket": "photos", "key": "cat.jpg"} | typed):
        arrived = json.loads(json.dumps(given_input))
        task = {
            "schema": 1,
            "product": "cutout",
            "input": arrived,
            "execution": "e",
            "default_models": {"mask": "m"},
            "lease_s": 1,
        }
        try:
            request = read_request(InspectMedia.model_validate(task).input)
        except InvalidOptions:
            continue
        request.location.key.encode()


@settings(max_examples=REQUESTS)
@given(
    fields,
    st.dictionaries(
        st.sampled_from([f"matteline-{name}" for name in CutoutOptions.model_fields]),
        st.text(max_size=20),
    ),
)
def test_any_options_are_options_or_refused_and_have_one_spelling(
    typed: dict[str, Any], metadata: dict[str, str]
) -> None:
    try:
        options = merge_options(
            CutoutOptions, typed=typed, metadata=metadata, profile=None, defaults={"model": "m"}
        )
    except InvalidOptions:
        return
    spelt = canonical(options)
    assert canonical(CutoutOptions.model_validate_json(spelt)) == spelt


@settings(max_examples=PROMPTS)
@given(
    st.lists(st.tuples(values, values, st.sampled_from([0, 1])), max_size=4),
    st.none() | st.tuples(values, values, values, values),
)
def test_a_prompt_lies_in_the_photo_or_is_refused(
    points: list[tuple[float, float, int]], box: tuple[float, ...] | None
) -> None:
    marks = [{"x": x, "y": y, "label": label} for x, y, label in points]
    corners = box and dict(zip(("x0", "y0", "x1", "y1"), box, strict=True))
    try:
        prompt = SubjectPrompt.model_validate({"points": marks, "box": corners})
        (placed,) = in_pixels((prompt,), width=800, height=600)
    except (InvalidPrompt, ValueError):
        return
    assert all(0 <= mark.x <= 800 and 0 <= mark.y <= 600 for mark in placed.points)
    if placed.box:
        assert 0 <= placed.box.x0 < placed.box.x1 <= 800
        assert 0 <= placed.box.y0 < placed.box.y1 <= 600
    assert "-0.0" not in placed.model_dump_json()


@settings(max_examples=PROMPTS)
@given(st.text(min_size=1, max_size=400))
def test_outputs_of_any_key_fit_and_differ(text: str) -> None:
    key = text.encode(errors="ignore")[:S3_KEY_LIMIT_BYTES].decode(errors="ignore") or "k"
    stem = output_stem(key)
    names = [picture_key(stem, kind=kind, extension="webp") for kind in KINDS]
    outputs = [*names, f"{stem}{RECORD}"]

    assert len(set(outputs)) == len(outputs)
    assert max(len(name.encode()) for name in outputs) <= S3_KEY_LIMIT_BYTES


@settings(max_examples=PICTURES)
@given(
    arrays(
        np.uint8, array_shapes(min_dims=2, max_dims=2, max_side=40).map(lambda size: (*size, 3))
    ),
    arrays(np.uint8, (16, 16), elements=st.sampled_from([0, 1, 127, 128, 254, 255])),
    st.sampled_from(["none", "fast", "matting", "auto"]),
)
def test_a_mask_on_a_photo_of_any_size_is_a_matte(rgb: Pixels, mask: Pixels, mode: Any) -> None:
    photo = Photo(rgb, None, None, None)

    _, alpha = estimate_alpha(photo, mask, mode=mode, budget=Budget(4096))

    assert alpha.shape == rgb.shape[:2]
    assert np.isfinite(alpha).all()
    assert (alpha >= 0).all()
    assert (alpha <= 1).all()


def test_the_seeds_are_photos() -> None:
    assert [type(decode(seed)) for seed in SEEDS] == [Photo] * len(SEEDS)

"""Outputs lie beside their photo under names S3 accepts, and two photos never share one."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.contracts.cutout import EXTENSIONS, PictureKind, picture_key
from pipeline.contracts.output_keys import LONGEST_SUFFIX_BYTES, output_stem
from pipeline.declared.products import load_products
from tests.conftest import ROOT

KINDS: tuple[PictureKind, ...] = ("cutout", "mask", "preview")
RECORDS = [product.record for product in load_products(ROOT)]

STEMS = {
    "cat.jpg": "cat",
    "trips/2024/cat.jpg": "trips/2024/cat",
    "trips.2024/cat": "trips.2024/cat",
    "cat.tar.gz": "cat.tar",
    ".hidden": ".hidden",
    "trips/.hidden": "trips/.hidden",
    "cat.": "cat",
    "folder/": "folder/",
    "a//b.png": "a//b",
    "/lead.png": "/lead",
    "사진/고양이 😀.jpeg": "사진/고양이 😀",
}


@pytest.mark.parametrize("key", STEMS)
def test_a_stem_is_the_key_less_its_extension(key: str) -> None:
    assert output_stem(key) == STEMS[key]


@pytest.mark.parametrize(
    ("kind", "extension", "expected"),
    [
        ("cutout", "png", "trips/cat_bg_removed.png"),
        ("cutout", "webp", "trips/cat_bg_removed.webp"),
        ("cutout", "jpg", "trips/cat_bg_removed.jpg"),
        ("mask", "png", "trips/cat_mask.png"),
        ("preview", "png", "trips/cat_preview.png"),
    ],
)
def test_a_picture_is_named_after_what_it_shows(
    kind: PictureKind, extension: str, expected: str
) -> None:
    assert picture_key("trips/cat", kind=kind, extension=extension) == expected


def test_no_output_has_a_longer_suffix_than_a_stem_leaves_room_for() -> None:
    suffixes = [*RECORDS, *(output.removeprefix("cat") for output in outputs("cat.jpg"))]

    assert max(map(len, suffixes)) <= LONGEST_SUFFIX_BYTES


def outputs(key: str) -> list[str]:
    stem = output_stem(key)
    pictures = [
        picture_key(stem, kind=kind, extension=extension)
        for kind in KINDS
        for extension in EXTENSIONS.values()
    ]
    return [*pictures, *(f"{stem}{record}" for record in RECORDS)]


def byte_lengths(keys: list[str]) -> list[int]:
    return [len(key.encode()) for key in keys]


def as_key(text: str) -> str:
    """As much of `text` as S3 accepts for a key."""
    return text.encode()[:1024].decode(errors="ignore")


letters = st.sampled_from("a한😀é/._ ~") | st.characters(exclude_categories=["Cs"])
keys = st.tuples(st.text(letters, min_size=1), st.integers(1, 1024)).map(
    lambda drawn: as_key(drawn[0] * drawn[1])
)
long_names = st.text(letters, min_size=1, max_size=40).map(lambda text: as_key(text * 1024))


@given(keys)
def test_every_output_key_fits_into_s3(key: str) -> None:
    assert max(byte_lengths(outputs(key))) <= 1024


@pytest.mark.parametrize("letter", ["a", "é", "한", "😀"])
@pytest.mark.parametrize("length", [980, 991, 992, 993, 994, 995, 996, 1008, 1024])
def test_a_key_at_the_limit_has_outputs_within_it(letter: str, length: int) -> None:
    key = (letter * 1024).encode()[:length].decode(errors="ignore")

    assert max(byte_lengths(outputs(key))) <= 1024


@given(long_names, st.integers(0, 9), st.integers(0, 9))
def test_long_names_that_differ_only_at_the_end_stay_apart(
    name: str, one: int, another: int
) -> None:
    beginning = as_key(name).encode()[:1019].decode(errors="ignore")
    first, second = f"{beginning}{one}.jpg", f"{beginning}{another}.jpg"

    assert (output_stem(first) == output_stem(second)) == (first == second)


@given(keys)
def test_all_outputs_of_a_photo_differ(key: str) -> None:
    assert len(set(outputs(key))) == len(outputs(key))


@given(long_names)
def test_a_stem_is_cut_between_characters_and_begins_like_its_key(key: str) -> None:
    kept, _, _ = output_stem(key).rpartition("~")

    assert key.startswith(kept)


def test_a_key_is_closed_with_a_digest_only_where_it_must_be() -> None:
    assert output_stem("x" * 992) == "x" * 992
    assert output_stem("x" * 993).startswith("x" * 979 + "~")

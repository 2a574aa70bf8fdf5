"""Every upload starts exactly one product, and the rules on AWS agree with the local cloud's."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import pytest
from hypothesis import given
from hypothesis import strategies as st
from moto.events.models import EventPattern

from pipeline.contracts.contract import read_product_contract
from pipeline.declared.products import (
    Product,
    Role,
    ingest_pattern,
    load_products,
    read_prefixes,
    require_on_request,
    require_products,
    taker,
)
from tests.conftest import ROOT

PHOTOS: Final = Product(name="cutout", machine="cutout", summary="Photos.", record="_cut.json")
SOUNDS: Final = Product(
    name="transcript", machine="transcript", summary="Sounds.", record="_text.json",
    suffixes=(".mp3", ".wav", ".m4a"),
)  # fmt: skip
MEMOS: Final = Product(
    name="memo", machine="memo", summary="Texts.", record="_memo.json", suffixes=(".txt",)
)
BADGES: Final = Product(
    name="badges", machine="badges", summary="On request.", record="_badge.json", on_request=True
)
PRODUCTS: Final = (PHOTOS, SOUNDS, BADGES, MEMOS)
LONGEST_KEY_BYTES: Final = 1024


def matches(
    product: Product,
    key: str,
    products: Sequence[Product] = PRODUCTS,
    prefixes: Sequence[str] = (),
    size: int = 9,
) -> bool:
    text = ingest_pattern(product, products, "uploads", prefixes=prefixes)
    event: dict[str, Any] = {
        "source": "aws.s3",
        "detail-type": "Object Created",
        "detail": {"bucket": {"name": "uploads"}, "object": {"key": key, "size": size}},
    }
    return text is not None and bool(EventPattern.load(text).matches_event(event))


def in_any_case(suffix: str) -> st.SearchStrategy[str]:
    letters = [st.sampled_from([letter.lower(), letter.upper()]) for letter in suffix]
    return st.tuples(*letters).map("".join)


ENDS: Final = st.sampled_from([".mp3", ".wav", ".m4a", ".txt", ".jpg", ".tar.gz", ""])
STEMS: Final = st.text(
    st.characters(exclude_categories=["Cs", "Cc"]) | st.sampled_from("./ "), max_size=40
)
KEYS: Final = st.tuples(STEMS, ENDS.flatmap(in_any_case)).map("".join).filter(bool)


SHIPPED: Final = load_products(ROOT)
SHIPPED_ENDS: Final = st.sampled_from(
    [*(suffix for product in SHIPPED for suffix in product.suffixes), ".jpg", ".webp", ""]
)
SHIPPED_KEYS: Final = (
    st.tuples(STEMS, SHIPPED_ENDS.flatmap(in_any_case))
    .map("".join)
    .filter(lambda key: key and not key.endswith("/"))
)


@given(KEYS)
def test_every_key_but_a_folder_marker_has_one_taker(key: str) -> None:
    takers = [product for product in PRODUCTS if matches(product, key)]

    assert len(takers) == (0 if key.endswith("/") else 1)
    assert takers == [product for product in [taker(key, PRODUCTS)] if product]


@pytest.mark.parametrize(
    ("key", "product"),
    [
        ("talk.mp3", SOUNDS),
        ("talk.MP3", SOUNDS),
        ("talk.Mp3", SOUNDS),
        ("a.b.c.mp3", SOUNDS),
        (".mp3", SOUNDS),
        ("notes.txt", MEMOS),
        ("cat.jpg", PHOTOS),
        ("cat", PHOTOS),
        ("mp3", PHOTOS),
        ("talk.mp3.jpg", PHOTOS),
        ("talk.mp3/cat", PHOTOS),
        ("ñ" * 510 + ".mp3", SOUNDS),
        ("k" * LONGEST_KEY_BYTES, PHOTOS),
        ("trips/", None),
    ],
)
def test_a_key_starts_the_product_its_end_names(key: str, product: Product | None) -> None:
    assert taker(key, PRODUCTS) == product
    assert [each for each in PRODUCTS if matches(each, key)] == ([product] if product else [])


def write(root: Path, machine: str, *lines: str) -> None:
    folder = root / "state_machines"
    folder.mkdir(exist_ok=True)
    text = "\n".join([f'name = "{machine}"', 'summary = "S."', 'record = "_r.json"', *lines])
    (folder / f"{machine}.product.toml").write_text(text)


def test_two_products_cannot_take_one_suffix(tmp_path: Path) -> None:
    write(tmp_path, "one")
    write(tmp_path, "two", 'suffixes = [".mp3"]')
    write(tmp_path, "three", 'suffixes = [".mp3", ".wav"]')

    with pytest.raises(ValueError, match=r"two products take keys that end in \.mp3$"):
        load_products(tmp_path)


@pytest.mark.parametrize("suffixes", ["", 'suffixes = [".mp3"]'])
def test_one_product_takes_what_no_other_takes(tmp_path: Path, suffixes: str) -> None:
    write(tmp_path, "one", suffixes)
    write(tmp_path, "two", suffixes.replace("mp3", "wav"))

    with pytest.raises(ValueError, match="exactly one product has no suffixes"):
        load_products(tmp_path)


@given(SHIPPED_KEYS)
def test_every_key_starts_exactly_one_of_the_repositorys_products(key: str) -> None:
    takers = [product for product in SHIPPED if matches(product, key, SHIPPED)]

    assert takers == [taker(key, SHIPPED)]


PREFIXES: Final = st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=9)


@given(KEYS)
def test_no_key_starts_a_product_on_request(key: str) -> None:
    assert not matches(BADGES, key)
    assert taker(key, PRODUCTS) != BADGES


@given(KEYS, PREFIXES, st.sampled_from(["{0}{1}", "{1}"]))
def test_uploads_below_a_prefix_start_the_product_on_request_beside_their_own(
    key: str, prefix: str, form: str
) -> None:
    full = form.format(prefix, key)

    assert matches(BADGES, full, prefixes=["other/", prefix]) == full.startswith((prefix, "other/"))
    takers = [each for each in PRODUCTS if not each.on_request and matches(each, full)]
    assert takers == [each for each in [taker(full, PRODUCTS)] if each]


def test_a_folders_marker_starts_no_product_on_request() -> None:
    assert not matches(BADGES, "people/", prefixes=["people/"], size=0)
    assert matches(BADGES, "people/cat.jpg", prefixes=["people/"])


def test_prefixes_are_read_by_product() -> None:
    texts = ["badges=people/", "badges=a=b/"]

    assert read_prefixes(texts) == {"badges": ("people/", "a=b/")}
    assert read_prefixes([]) == {}


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("people/", "not of the form product=prefix, such as faces=people/: 'people/'"),
        ("badges=", "not of the form"),
        ("badge=people/", "'badge' is no product on request; did you mean 'badges'?"),
        ("cutout=people/", "'cutout' is no product on request; there is badges"),
        (f"badges={'k' * 1025}", "badges: a prefix has 1 to 1024 bytes"),
    ],
)
def test_prefixes_that_start_nothing_are_refused(text: str, says: str) -> None:
    with pytest.raises(ValueError, match=f"^{re.escape(says)}"):
        require_on_request(read_prefixes([text]), PRODUCTS)


def test_a_product_on_request_takes_no_suffixes() -> None:
    with pytest.raises(ValueError, match="a product on request takes no suffixes"):
        Product.model_validate({**BADGES.model_dump(), "suffixes": [".bdg"]})


def test_work_that_expires_early_has_a_folder_of_its_own() -> None:
    assert BADGES.work_folder == ""
    assert BADGES.model_copy(update={"work_days": 1}).work_folder == "badges/"


@pytest.mark.parametrize(
    ("key", "product"),
    [
        ("cat.jpg", "cutout"),
        ("talk.mp3", "transcript"),
        ("Talk.MP4", "transcript"),
        ("talk.webm", "transcript"),
        ("voice.opus", "transcript"),
        ("mp3", "cutout"),
        ("cat.webp", "cutout"),
        ("noname", "cutout"),
    ],
)
def test_recordings_are_known_by_their_suffix(key: str, product: str) -> None:
    found = taker(key, SHIPPED)

    assert found is not None
    assert found.name == product


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"name": "cutout"}, "two products have the name cutout"),
        ({"record": "_cut.json"}, r"two products have the record _cut\.json"),
        ({"machine": "lost"}, r"product memo has no lost\.asl\.json"),
        ({"roles": {"words": Role(container="nobody")}}, "container has no models: nobody"),
        (
            {"roles": {"words": Role(container="memo-reader", engine="mask")}},
            "memo-reader has no engine mask",
        ),
    ],
)
def test_products_that_cannot_work_are_refused(change: dict[str, Any], says: str) -> None:
    products = (PHOTOS, MEMOS.model_copy(update=change))

    with pytest.raises(ValueError, match=says):
        require_products(products, machines=["cutout", "memo"], engines={"memo-reader": {"list"}})


@pytest.mark.parametrize(
    ("role", "options", "asked"),
    [
        ({}, {}, True),
        ({"option": "model"}, {"model": "m"}, "m"),
        ({"option": "align"}, {"align": None}, None),
        ({"option": "align"}, {}, None),
        ({"when": "denoise"}, {"denoise": True}, True),
        ({"when": "denoise"}, {"denoise": False}, None),
        ({"when": "denoise"}, {}, None),
        ({"when": "tags", "option": "tag_model"}, {"tags": True}, True),
        ({"when": "tags", "option": "tag_model"}, {"tags": True, "tag_model": "m"}, "m"),
        ({"when": "tags", "option": "tag_model"}, {"tag_model": "m"}, None),
    ],
)
def test_a_role_has_the_model_that_the_options_ask_for(
    role: dict[str, str], options: dict[str, object], asked: object
) -> None:
    assert Role(container="finder", **role).asked(options) == asked


@pytest.mark.parametrize("product", SHIPPED, ids=lambda product: product.name)
def test_a_role_names_options_of_its_product(product: Product) -> None:
    fields = read_product_contract(product.contracts).options.model_fields
    roles = product.roles.values()

    assert {fields[role.when].annotation for role in roles if role.when} <= {bool}
    assert {fields[role.option].annotation for role in roles if role.option} <= {str, str | None}


def test_products_that_can_work_are_not() -> None:
    require_products((PHOTOS, MEMOS), machines=["cutout", "memo"], engines={})

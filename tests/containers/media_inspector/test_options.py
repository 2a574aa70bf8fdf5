"""Execution input outranks metadata, metadata the profile, and the profile the defaults."""

from __future__ import annotations

from typing import Any

import pytest

from containers.media_inspector.options import (
    Profile,
    canonical,
    load_profiles,
    merge_options,
    profile_of,
)
from pipeline.contracts.cutout import CutoutOptions
from pipeline.declared.catalogue import load_catalogue
from pipeline.errors import InvalidOptions
from tests.conftest import ROOT

PROFILES = (
    Profile(product="cutout", prefix="shop/sale/", options={"refine": "none"}),
    Profile(
        product="cutout",
        prefix="shop/",
        options={"model": "from-profile", "crop": True, "format": "webp"},
    ),
)


def merge(**given: Any) -> CutoutOptions:
    """Merge with nothing given but `given`."""
    key, profiles = given.pop("key", "cat.jpg"), given.pop("profiles", PROFILES)
    nothing = {"typed": {}, "metadata": {}, "defaults": {"model": "by-default"}}
    profile = profile_of("cutout", key, profiles)
    return merge_options(CutoutOptions, profile=profile, **(nothing | given))


def test_a_profile_is_for_its_own_product() -> None:
    other = Profile(product="transcript", prefix="", options={"language": "de"})

    assert merge(profiles=(other,)) == merge(profiles=())


def test_without_any_wish_there_are_defaults() -> None:
    assert merge() == CutoutOptions(
        model="by-default",
        refine="auto",
        format="png",
        background=None,
        crop=False,
        outputs=("cutout",),
        allow_fallback=False,
    )


RANKS: dict[str, tuple[dict[str, Any], str]] = {
    "default": ({}, "by-default"),
    "profile": ({"key": "shop/a.jpg"}, "from-profile"),
    "metadata": (
        {"key": "shop/a.jpg", "metadata": {"matteline-model": "from-metadata"}},
        "from-metadata",
    ),
    "typed": (
        {
            "key": "shop/a.jpg",
            "metadata": {"matteline-model": "from-metadata"},
            "typed": {"model": "typed"},
        },
        "typed",
    ),
}


@pytest.mark.parametrize("rank", RANKS)
def test_the_nearest_wish_wins(rank: str) -> None:
    given, model = RANKS[rank]

    assert merge(**given).model == model


def test_wishes_from_every_place_are_put_together() -> None:
    options = merge(
        key="shop/a.jpg", metadata={"matteline-refine": "fast"}, typed={"outputs": ["mask"]}
    )

    assert options == CutoutOptions(
        model="from-profile", crop=True, format="webp", refine="fast", outputs=("mask",)
    )


@pytest.mark.parametrize(
    ("key", "model", "refine"),
    [
        ("shop/a.jpg", "from-profile", "auto"),
        ("shop/sale/a.jpg", "by-default", "none"),
        ("shop", "by-default", "auto"),
        ("my/shop/a.jpg", "by-default", "auto"),
    ],
)
def test_one_profile_applies_by_its_prefix(key: str, model: str, refine: str) -> None:
    options = merge(key=key)

    assert (options.model, options.refine) == (model, refine)


METADATA: dict[str, tuple[dict[str, str], dict[str, Any]]] = {
    "crop": ({"matteline-crop": "true"}, {"crop": True}),
    "shouted": ({"matteline-crop": "TRUE"}, {"crop": True}),
    "not": ({"matteline-crop": "false"}, {"crop": False}),
    "hyphens": ({"matteline-allow-fallback": "true"}, {"allow_fallback": True}),
    "one output": ({"matteline-outputs": "mask"}, {"outputs": ("mask",)}),
    "outputs": ({"matteline-outputs": "preview, mask"}, {"outputs": ("mask", "preview")}),
    "background": ({"matteline-background": "#ffaa00"}, {"background": "#ffaa00"}),
    "format": ({"matteline-format": "webp"}, {"format": "webp"}),
    "prompts": (
        {"matteline-prompts": '[{"points": [{"x": 1, "y": 2}]}]'},
        {"prompts": ({"points": ({"x": 1, "y": 2},)},)},
    ),
    "finish": (
        {
            "matteline-refine": "matting",
            "matteline-effort": "small",
            "matteline-crop": "true",
            "matteline-margin": "10",
            "matteline-background": "#AABBCC80",
        },
        {
            "refine": "matting",
            "effort": "small",
            "crop": True,
            "margin": 10,
            "background": "#aabbcc80",
        },
    ),
    "a number": ({"matteline-size": " 2000 "}, {"size": 2000}),
    "yes": ({"matteline-crop": "Yes"}, {"crop": True}),
    "spaces": (
        {"matteline-outputs": " mask ,cutout", "matteline-format": " avif "},
        {"outputs": ("cutout", "mask"), "format": "avif"},
    ),
    "twice": ({"matteline-outputs": "mask, mask"}, {"outputs": ("mask",)}),
    "capitals": ({"Matteline-Crop": "true"}, {"crop": True}),
    "underscores": ({"matteline_allow_fallback": "true"}, {"allow_fallback": True}),
    "as S3 writes what is not ASCII": (
        {"matteline-outputs": "=?UTF-8?Q?cutout,=C2=A0mask?="},
        {"outputs": ("cutout", "mask")},
    ),
    "of others": ({"author": "Ada", "crop": "true", "mattelinecrop": "x"}, {}),
}


@pytest.mark.parametrize("name", METADATA)
def test_object_metadata_is_text_that_is_understood(name: str) -> None:
    metadata, expected = METADATA[name]

    assert merge(metadata=metadata) == CutoutOptions(model="by-default", **expected)


def test_outputs_are_named_once_and_in_one_order() -> None:
    options = merge(typed={"outputs": ["preview", "cutout", "preview"]})

    assert options.outputs == ("cutout", "preview")


MISTAKES: dict[str, tuple[dict[str, Any], str]] = {
    "typed field": ({"typed": {"nope": 1}}, "options: nope: there is no such field"),
    "typed value": ({"typed": {"refine": "best"}}, "options: refine: input should be 'none', "),
    "typed colour": ({"typed": {"background": "red"}}, "options: background: "),
    "typed half a veil": ({"typed": {"background": "#aabbcc8"}}, "options: background: "),
    "typed margin": ({"typed": {"margin": 101}}, "options: margin: "),
    "typed effort": ({"typed": {"effort": "best"}}, "options: effort: "),
    "typed nothing": ({"typed": {"outputs": []}}, "options: outputs: "),
    "typed text for a list": ({"typed": {"outputs": "mask"}}, "options: outputs: "),
    "metadata field": (
        {"metadata": {"matteline-nope": "1"}},
        "object metadata: nope: there is no such field",
    ),
    "metadata value": ({"metadata": {"matteline-crop": "ja"}}, "object metadata: crop: "),
    "metadata list": (
        {"metadata": {"matteline-outputs": "mask,video"}},
        "object metadata: outputs.1: ",
    ),
    "the name of a colour": (
        {"typed": {"background": "white"}},
        "options: background: should be #rrggbb or #rrggbbaa, such as #ffffff for white",
    ),
    "no words": ({"typed": {"outputs": []}}, "options: outputs: should name at least one"),
    "metadata with an empty word": (
        {"metadata": {"matteline-outputs": "cutout,"}},
        "object metadata: outputs.1: input should be 'cutout', 'mask' or 'preview', got ''",
    ),
    "metadata with letters that are not ASCII": (
        {"metadata": {"matteline-background": "=?UTF-8?B?77yDZmZmZmZm?="}},
        "object metadata: background: should be #rrggbb or #rrggbbaa, such as #ffffff for white",
    ),
    "metadata twice": (
        {"metadata": {"matteline-allow-fallback": "true", "matteline-allow_fallback": "false"}},
        "object metadata: allow_fallback: there are two values",
    ),
    "misspelt metadata": (
        {"metadata": {"matteline-ouputs": "mask"}},
        "object metadata: ouputs: there is no such field; did you mean 'outputs'?",
    ),
    "misspelt field": (
        {"typed": {"backround": "#ffffff"}},
        "options: backround: there is no such field; did you mean 'background'?",
    ),
    "misspelt field of a prompt": (
        {"typed": {"prompts": [{"pionts": []}]}},
        "options: prompts.0.pionts: there is no such field; did you mean 'points'?",
    ),
    "misspelt word": (
        {"typed": {"refine": "matte"}},
        (
            "options: refine: input should be 'none', 'fast', 'matting' or 'auto', got 'matte'; "
            "did you mean 'matting'?"
        ),
    ),
    "shouted word": (
        {"typed": {"format": "PNG"}},
        (
            "options: format: input should be 'png', 'webp', 'jpeg' or 'avif', got 'PNG'; "
            "did you mean 'png'?"
        ),
    ),
    "the word for a suffix": (
        {"metadata": {"matteline-format": "jpg"}},
        (
            "object metadata: format: input should be 'png', 'webp', 'jpeg' or 'avif', got 'jpg'; "
            "did you mean 'jpeg'?"
        ),
    ),
    "truth for a number": (
        {"typed": {"size": True}},
        "options: size: should be a whole number, got True",
    ),
    "truth for a number, as text": (
        {"metadata": {"matteline-margin": "true"}},
        "object metadata: margin: should be a whole number, got 'true'",
    ),
    "no side": ({"typed": {"size": 0}}, "options: size: input should be greater than"),
    "a side too long": ({"typed": {"size": 65_536}}, "options: size: input should be less than"),
    "metadata that is no JSON": (
        {"metadata": {"matteline-prompts": "412,280"}},
        "object metadata: prompts: not JSON, Extra data",
    ),
    "metadata too deep": (
        {"metadata": {"matteline-prompts": "[" * 1_800}},
        "object metadata: prompts: not JSON, maximum recursion depth",
    ),
    "metadata nothing": ({"metadata": {"matteline-outputs": ""}}, "object metadata: outputs.0: "),
    "profile": (
        {"profiles": [Profile(product="cutout", prefix="", options={"nope": 1})]},
        "profile '': nope: there is no such field",
    ),
}


@pytest.mark.parametrize("name", MISTAKES)
def test_a_mistake_is_named_where_it_was_made(name: str) -> None:
    given, message = MISTAKES[name]

    with pytest.raises(InvalidOptions) as refusal:
        merge(**given)

    assert refusal.value.message.startswith(message)


def test_a_mistake_is_named_even_where_it_is_outranked() -> None:
    with pytest.raises(InvalidOptions, match="object metadata: format: "):
        merge(metadata={"matteline-format": "gif"}, typed={"format": "png"})


def test_all_mistakes_of_one_place_are_named_at_once() -> None:
    with pytest.raises(InvalidOptions) as refusal:
        merge(typed={"nope": 1, "refine": "best", "crop": "maybe"})

    assert [name in refusal.value.message for name in ("nope:", "refine:", "crop:")] == [True] * 3


def test_the_shipped_profiles_are_valid_and_the_longest_prefix_comes_first() -> None:
    profiles = load_profiles()
    lengths = [len(profile.prefix) for profile in profiles]

    assert lengths == sorted(lengths, reverse=True)
    assert all(merge(key=f"{row.prefix}a.jpg", profiles=profiles) for row in profiles)


def test_the_shipped_profiles_name_models_of_the_shipped_catalogue() -> None:
    catalogue = load_catalogue(ROOT)
    wanted = [row.options["model"] for row in load_profiles() if "model" in row.options]

    assert [catalogue.row(name).name for name in wanted] == wanted


def test_equal_wishes_have_one_spelling() -> None:
    one = merge(typed={"outputs": ["mask", "cutout"], "crop": True})
    same = merge(metadata={"matteline-crop": "true", "matteline-outputs": "cutout,mask"})

    assert canonical(one) == canonical(same)
    assert canonical(one) != canonical(merge())


JPEG_SHOP = Profile(
    product="cutout", prefix="jpegs/", options={"format": "jpeg", "background": "#ffffff"}
)
CROPPING_SHOP = Profile(product="cutout", prefix="crops/", options={"crop": True, "margin": 10})
FITTING: dict[str, dict[str, Any]] = {
    "a margin of a profile's crop": {"key": "shop/a.jpg", "typed": {"margin": 10}},
    "no margin": {"typed": {"margin": 0}},
    "a margin that a stronger place switches off": {
        "key": "crops/a.jpg", "metadata": {"matteline-crop": "false"},
    },
    "a JPEG on white": {"typed": {"format": "jpeg", "background": "#ffffff"}},
    "a JPEG on an opaque colour of eight digits": {
        "typed": {"format": "jpeg", "background": "#FFFFFFFF"},
    },
    "another format than the profile's": {"key": "jpegs/a.jpg", "typed": {"format": "png"}},
    "another colour than the profile's": {
        "key": "jpegs/a.jpg", "metadata": {"matteline-background": "#000000"},
    },
    "a JPEG from one place, its colour from another": {
        "metadata": {"matteline-format": "jpeg"}, "typed": {"background": "#000000"},
    },
    "only the mask, where a profile makes JPEGs": {
        "key": "jpegs/a.jpg", "typed": {"outputs": ["mask"]},
    },
    "a mask that is a PNG": {"typed": {"outputs": ["mask"], "format": "png"}},
    "a small PNG of a mask beside a JPEG": {
        "key": "jpegs/a.jpg", "typed": {"outputs": ["mask", "cutout"], "effort": "small"},
    },
}  # fmt: skip
NEEDS_COLOUR = "a JPEG is never transparent: it needs an opaque background, such as #ffffff"
CONTRADICTING: dict[str, tuple[dict[str, Any], str]] = {
    "a margin without a crop": (
        {"typed": {"margin": 10}},
        "margin (options) contradicts crop (default): only a crop has a margin",
    ),
    "a margin where a profile forbids to crop": (
        {
            "profiles": [Profile(product="cutout", prefix="", options={"crop": False})],
            "metadata": {"matteline-margin": "10"},
        },
        "margin (object metadata) contradicts crop (profile ''): only a crop has a margin",
    ),
    "a transparent JPEG": (
        {"metadata": {"matteline-format": "jpeg"}},
        f"format (object metadata) contradicts background (default): {NEEDS_COLOUR}",
    ),
    "a translucent JPEG": (
        {"key": "jpegs/a.jpg", "typed": {"background": "#ffffff80"}},
        f"format (profile 'jpegs/') contradicts background (options): {NEEDS_COLOUR}",
    ),
    "a profile's colour, taken away": (
        {"key": "jpegs/a.jpg", "typed": {"background": None}},
        f"format (profile 'jpegs/') contradicts background (options): {NEEDS_COLOUR}",
    ),
    "effort for a JPEG": (
        {"key": "jpegs/a.jpg", "typed": {"effort": "small"}},
        "effort (options) contradicts format (profile 'jpegs/'): a JPEG has one effort",
    ),
    "a coloured mask in WebP": (
        {"typed": {"outputs": ["mask"], "format": "webp", "background": "#ffffff"}},
        (
            "format (options) contradicts outputs (options): a mask is always a PNG; "
            "background (options) contradicts outputs (options): a mask has no background"
        ),
    ),
}
SHOPS = (*PROFILES, JPEG_SHOP, CROPPING_SHOP)


@pytest.mark.parametrize("name", FITTING)
def test_options_of_several_places_fit_together(name: str) -> None:
    assert merge(**{"profiles": SHOPS} | FITTING[name])


@pytest.mark.parametrize("name", CONTRADICTING)
def test_options_that_contradict_each_other_are_named_with_their_places(name: str) -> None:
    given, message = CONTRADICTING[name]

    with pytest.raises(InvalidOptions) as refusal:
        merge(**{"profiles": SHOPS} | given)

    assert refusal.value.message == message


def test_an_option_that_is_not_asked_for_changes_no_spelling() -> None:
    assert "size" not in canonical(merge())
    assert '"size":2000' in canonical(merge(typed={"size": 2_000}))
    assert canonical(merge(typed={"size": None})) == canonical(merge())

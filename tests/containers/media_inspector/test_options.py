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
            "matteline-margin": "10",
            "matteline-background": "#AABBCC80",
        },
        {"refine": "matting", "effort": "small", "margin": 10, "background": "#aabbcc80"},
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

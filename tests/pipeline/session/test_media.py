"""What a run knows of products is what they declare, and a key starts the product it should."""

from __future__ import annotations

import pytest

from pipeline.declared.products import load_products, taker
from pipeline.session.media import FACES, KINDS, PHOTO, RECORDING, Kind, routed
from tests.conftest import ROOT

PRODUCTS = load_products(ROOT)


def test_a_run_makes_every_product_and_knows_what_it_declares() -> None:
    declared = {
        product.name: (product.record, product.suffixes, product.on_request, {*product.roles})
        for product in PRODUCTS
    }

    known = {
        name: (kind.record, kind.suffixes, kind.on_request, {*kind.roles})
        for name, kind in KINDS.items()
    }

    assert known == declared


@pytest.mark.parametrize("kind", [PHOTO, RECORDING])
@pytest.mark.parametrize(
    "name", ["cat.jpg", "talk.mp3", "TALK.MP3", "talk.mP3", "a.b.wav", "noise", ".mp3", "film.MOV"]
)
def test_a_key_starts_the_product_of_its_content_whatever_its_name(name: str, kind: Kind) -> None:
    product = taker(f"run-1/0/{routed(name, kind)}", PRODUCTS)

    assert product is not None
    assert product.name == kind.product


@pytest.mark.parametrize("name", ["cat.jpg", "talk.mp3", "noise"])
def test_a_photo_whose_faces_are_asked_for_starts_the_product_of_photos_and_says_so(
    name: str,
) -> None:
    key = f"run-1/0/{routed(name, FACES)}"

    assert taker(key, PRODUCTS) == taker("cat.jpg", PRODUCTS)
    assert FACES.metadata == {"matteline-product": "faces"}
    assert PHOTO.metadata == RECORDING.metadata == {}


def test_a_name_that_fits_stays() -> None:
    assert routed("cat.JPG", PHOTO) == "cat.JPG"
    assert routed("talk.mp3", RECORDING) == "talk.mp3"


def test_models_that_only_options_ask_for_are_needed_with_these_only() -> None:
    plain = RECORDING.containers()

    assert plain == {"audio-reader", "transcriber"}
    assert RECORDING.containers(["denoise"]) == plain | {"denoiser"}
    assert RECORDING.containers(["diarize", "speakers"]) == plain | {"diarizer"}
    assert RECORDING.containers(["tags"]) == plain | {"audio-tagger"}
    assert PHOTO.containers(["denoise"]) == {"background-remover"}
    assert RECORDING.asked_containers(["tags", "prompt"]) == {"audio-tagger"}
    assert RECORDING.asked_containers(["diarize", "speaker_model"]) == set()
    assert FACES.containers(["redact"]) == {"face-analyzer"}
    assert FACES.asked_containers(["embed"]) == {"face-embedder"}
    assert FACES.asked_containers(["embed", "embedder"]) == set()


def test_the_default_of_a_container_is_not_needed_if_another_model_is_named() -> None:
    given = ["diarize", "speaker_model", "tags", "tag_model", "align"]

    assert RECORDING.containers(given) == RECORDING.containers()


def test_models_are_named_by_other_options_too() -> None:
    options = {"model": "a", "diarize": "true", "speaker_model": "b", "align": "c", "prompt": "d"}

    assert RECORDING.named_models(options) == {"speaker_model": "b", "align": "c"}
    assert PHOTO.named_models({"model": "a"}) == {}


def test_a_product_takes_models_of_one_container_by_name() -> None:
    assert [RECORDING.takes_model_of(name) for name in ("transcriber", "audio-reader")] == [
        True,
        False,
    ]
    assert PHOTO.takes_model_of("background-remover")

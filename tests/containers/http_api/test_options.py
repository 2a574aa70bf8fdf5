"""`GET /options` describes what a user may choose, as the contracts check it."""

from __future__ import annotations

from typing import Any

import jsonschema
import pytest

from pipeline.contracts.cutout import CutoutOptions
from pipeline.declared.products import load_products
from tests.conftest import ROOT
from tests.containers.http_api.conftest import Ask


@pytest.fixture
def cutout(ask: Ask) -> dict[str, Any]:
    (product,) = (
        each for each in ask("GET", "/options").json["products"] if each["product"] == "cutout"
    )
    options: dict[str, Any] = product["options"]
    return options


def test_every_product_is_described(ask: Ask) -> None:
    answer = ask("GET", "/options")

    assert answer.status == 200
    assert [each["product"] for each in answer.json["products"]] == [
        product.name for product in load_products(ROOT)
    ]


def test_a_transcripts_options_are_described(ask: Ask) -> None:
    products = {each["product"]: each for each in ask("GET", "/options").json["products"]}
    transcript = products["transcript"]
    options = transcript["options"]["properties"]
    checked = jsonschema.Draft202012Validator(transcript["options"])

    assert transcript["most_bytes"] == 5 * 10**9
    assert ".mp3" in transcript["suffixes"]
    assert "whisper-base" in options["model"]["enum"]
    assert set(options["align"]["enum"]) == {"wav2vec2-base-960h", None}
    assert {"en", "ko", "yue"} <= set(options["language"]["anyOf"][0]["enum"])  # the page reads it
    assert checked.is_valid({"denoise": True, "align": None, "language": "de"})
    assert not checked.is_valid({"model": "wav2vec2-base-960h"})


def test_the_options_of_faces_are_described(ask: Ask) -> None:
    products = {each["product"]: each for each in ask("GET", "/options").json["products"]}
    faces = products["faces"]
    checked = jsonschema.Draft202012Validator(faces["options"])

    assert {name for name, each in products.items() if each["on_request"]} == {"faces"}
    assert faces["suffixes"] == []
    assert "face-api-ssd" in faces["options"]["properties"]["model"]["enum"]
    assert None in faces["options"]["properties"]["embedder"]["enum"]
    assert checked.is_valid({"attributes": ["expressions"], "redact": "cover", "embed": True})
    assert not checked.is_valid({"attributes": ["race"]})
    assert not checked.is_valid({"min_score": 0})


@pytest.mark.parametrize(
    ("options", "valid"),
    [
        ({"diarize": True, "speakers": 2, "hop_s": 0.25, "name_speakers": True}, True),
        ({"diarize": True, "speaker_model": None, "least_speakers": 1, "most_speakers": 20}, True),
        ({"tags": True, "tag_model": None, "most_tags": 50}, True),
        ({"speakers": 0}, False),
        ({"most_speakers": 21}, False),
        ({"hop_s": 0.2}, False),
        ({"hop_s": 5.1}, False),
        ({"most_tags": 51}, False),
        ({"speaker_model": "whisper-base"}, False),
        ({"tag_model": "whisper-base"}, False),
    ],
)
def test_the_limits_of_speakers_and_tags_are_described(
    ask: Ask, options: dict[str, Any], *, valid: bool
) -> None:
    products = {each["product"]: each for each in ask("GET", "/options").json["products"]}
    checked = jsonschema.Draft202012Validator(products["transcript"]["options"])

    assert checked.is_valid(options) is valid


def test_every_option_is_described_and_none_is_required(cutout: dict[str, Any]) -> None:
    jsonschema.Draft202012Validator.check_schema(cutout)

    assert set(cutout["properties"]) == set(CutoutOptions.model_fields)
    assert "required" not in cutout


@pytest.mark.parametrize(
    ("options", "valid"),
    [
        ({}, True),
        ({"model": "u2netp", "crop": True, "margin": 5, "background": "#FFffFF80"}, True),
        ({"prompts": [{"points": [{"x": 0.5, "y": 0.5}]}]}, True),
        ({"model": "u2nett"}, False),
        ({"margin": 101}, False),
        ({"margin": True}, False),
        ({"size": 0}, False),
        ({"size": 800}, True),
        ({"format": "gif"}, False),
        ({"background": "white"}, False),
        ({"outputs": []}, False),
        ({"colour": "red"}, False),
    ],
)
def test_the_schema_takes_what_the_contract_takes(
    cutout: dict[str, Any], options: dict[str, Any], *, valid: bool
) -> None:
    assert jsonschema.Draft202012Validator(cutout).is_valid(options) is valid
    if options.get("model") != "u2nett":  # the catalogue's to know, not the contract's
        assert contract_takes(options) is valid


def contract_takes(options: dict[str, Any]) -> bool:
    try:
        CutoutOptions.model_validate({"model": "u2netp", **options})
    except ValueError:
        return False
    return True

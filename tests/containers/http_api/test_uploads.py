"""`POST /uploads` answers with a form that allows one file at one key, and nothing else."""

from __future__ import annotations

import base64
import json
import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from containers.http_api.principal import identify
from pipeline.audio import limits as audio_limits
from pipeline.declared.products import load_products
from pipeline.operations.uploading import LASTS, read_upload
from pipeline.photo import limits as photo_limits
from tests.conftest import ROOT
from tests.containers.http_api.conftest import Answered, Ask
from tests.containers.http_api.test_problems import require_problem

ADA = {"lambda": {"principal": "ada"}}
PREFIX = identify(ADA).prefix
pytestmark = pytest.mark.usefixtures("tables")


def upload(ask: Ask, **body: Any) -> Answered:
    whole = {"name": "cat.jpg", "bytes": 1000, **body}
    return ask("POST", "/uploads", body=json.dumps(whole), authorizer=ADA)


def conditions_of(answer: Answered) -> list[Any]:
    policy = json.loads(base64.b64decode(answer.json["fields"]["policy"]))
    found: list[Any] = policy["conditions"]
    return found


def test_the_form_is_for_one_key_below_the_callers_prefix(ask: Ask) -> None:
    answer = upload(ask)

    key = f"{PREFIX}{answer.json['id']}/cat.jpg"
    assert answer.status == 201
    assert answer.json["product"] == "cutout"
    assert answer.json["key"] == answer.json["fields"]["key"] == key
    assert read_upload(answer.json["id"], PREFIX) is not None
    assert "${" not in answer.text


def test_every_field_of_the_form_has_a_condition_and_the_size_is_exact(ask: Ask) -> None:
    options = {"crop": True, "allow_fallback": True, "outputs": ["mask", "cutout"]}
    answer = upload(ask, media_type="image/jpeg", options=options)

    conditions, fields = conditions_of(answer), answer.json["fields"]
    exact = {
        name: text for each in conditions if isinstance(each, dict) for name, text in each.items()
    }
    assert exact.pop("bucket") == "matteline-dev-ingest-123456789012-eu-central-1"
    assert exact == {name: fields[name] for name in fields.keys() - {"policy", "x-amz-signature"}}
    assert [each for each in conditions if isinstance(each, list)] == [
        ["content-length-range", 1000, 1000]
    ]
    assert {name: text for name, text in fields.items() if name.startswith("x-amz-meta-")} == {
        "x-amz-meta-matteline-crop": "true",
        "x-amz-meta-matteline-allow-fallback": "true",
        "x-amz-meta-matteline-outputs": "cutout,mask",
    }
    assert fields["Content-Type"] == "image/jpeg"


def test_the_form_is_for_the_host_of_the_region(ask: Ask) -> None:
    bucket = "matteline-dev-ingest-123456789012-eu-central-1"

    assert upload(ask).json["url"] == f"https://{bucket}.s3.eu-central-1.amazonaws.com/"


def test_the_form_expires_soon(ask: Ask) -> None:
    answer = upload(ask)

    expires = datetime.fromisoformat(answer.json["expires_at"])
    policy = json.loads(base64.b64decode(answer.json["fields"]["policy"]))
    assert timedelta() < expires - datetime.now(UTC) <= LASTS
    signed = datetime.fromisoformat(policy["expiration"])
    assert abs(signed - expires) <= timedelta(seconds=2)


def test_two_uploads_of_one_name_do_not_meet(ask: Ask) -> None:
    assert upload(ask).json["key"] != upload(ask).json["key"]


def test_options_that_are_the_default_are_left_to_the_deployment(ask: Ask) -> None:
    answer = upload(ask, options={"format": "png", "background": None, "prompts": []})

    assert answer.status == 201
    assert "x-amz-meta-" not in answer.text


@pytest.mark.parametrize(
    "name", ["cat.jpg", "Käse 1 (2).JPG", "猫.heic", "no suffix", ".jpg", "a$.jpg"]
)
def test_a_plain_name_is_kept(ask: Ask, name: str) -> None:
    answer = upload(ask, name=name)

    assert answer.status == 201, answer.text
    assert answer.json["key"].rpartition("/")[2] == name


@pytest.mark.parametrize(
    "name",
    [
        "", " ", "a/b.jpg", "../cat.jpg", "..", ".", "/cat.jpg", "cat.jpg/", "a\\b.jpg", "cat.jpg ",
        "cat\n.jpg", "cat\x00.jpg", "cat\u202egpj.exe", "${filename}",
        "a${filename}.jpg", "x" * 197 + ".jpg", "ä" * 101,
    ],
)  # fmt: skip
def test_any_other_name_is_refused(ask: Ask, name: str) -> None:
    answer = upload(ask, name=name)

    require_problem(answer, 422, "InvalidRequest")
    assert [each["field"] for each in answer.json["errors"]] == ["body.name"]


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("bytes", 0), ("bytes", -1), ("bytes", 1.5), ("bytes", "1000"), ("bytes", True),
        ("bytes", None),
        ("media_type", "text/html"), ("media_type", "multipart/form-data"),
        ("media_type", "image/"),
        ("media_type", "image/png\r\nx: y"), ("media_type", "image/png, text/html"),
        ("product", "cutouts"), ("product", "transcript"), ("options", []), ("key", "x"),
        ("bucket", "x"),
    ],
)  # fmt: skip
def test_a_wrong_field_is_named(ask: Ask, field: str, value: Any) -> None:
    answer = upload(ask, **{field: value})

    require_problem(answer, 422, "InvalidRequest")
    assert {each["field"].split(".")[1] for each in answer.json["errors"]} == {field}


def test_a_file_that_no_product_would_take_is_refused_before_it_is_sent(ask: Ask) -> None:
    answer = upload(ask, bytes=100 * 2**20 + 1)

    require_problem(answer, 422, "MediaTooLarge")
    assert [each["field"] for each in answer.json["errors"]] == ["body.bytes"]
    assert upload(ask, bytes=100 * 2**20).status == 201


def test_a_recording_may_be_as_large_as_a_form_takes(ask: Ask) -> None:
    talk = {"name": "Talk.MP3", "media_type": "application/ogg"}

    largest = upload(ask, **talk, bytes=5 * 10**9, options={"language": "ko", "denoise": True})

    assert largest.status == 201, largest.text
    assert largest.json["product"] == "transcript"
    assert ["content-length-range", 5 * 10**9, 5 * 10**9] in conditions_of(largest)
    assert largest.json["fields"]["x-amz-meta-matteline-language"] == "ko"
    require_problem(upload(ask, **talk, bytes=5 * 10**9 + 1), 422, "MediaTooLarge")


@pytest.mark.parametrize(
    ("product", "most"),
    [("cutout", photo_limits.MAX_BYTES), ("transcript", audio_limits.MAX_BYTES)],
)
def test_a_form_takes_what_the_inspector_takes(product: str, most: int) -> None:
    products = {each.name: each for each in load_products(ROOT)}

    assert products[product].most_bytes == most


@pytest.mark.parametrize(
    ("options", "name", "field"),
    [
        ({"crop": True}, "InvalidOptions", "crop"),
        ({"language": "xx"}, "InvalidOptions", "language"),
        ({"transcribe_denoised": True}, "InvalidOptions", "transcribe_denoised"),
        ({"model": "u2net"}, "UnknownModel", "model"),
        ({"model": "wav2vec2-base-960h"}, "UnknownModel", "model"),
        ({"align": "whisper-tiny"}, "UnknownModel", "align"),
        ({"denoise": "deepfilternet3"}, "InvalidOptions", "denoise"),
    ],
)
def test_a_recordings_options_are_those_of_a_transcript(
    ask: Ask, options: dict[str, Any], name: str, field: str
) -> None:
    answer = upload(ask, name="talk.wav", options=options)

    require_problem(answer, 422, name)
    assert answer.json["errors"][0]["field"] == f"body.options.{field}"


def test_a_whole_number_may_be_written_with_a_point(ask: Ask) -> None:
    assert upload(ask, bytes=1000.0).status == 201


def test_a_product_on_request_is_asked_for_in_the_metadata_of_the_upload(ask: Ask) -> None:
    answer = upload(ask, product="faces", options={"redact": "blur", "attributes": ["age_gender"]})

    assert answer.status == 201, answer.text
    assert answer.json["product"] == "faces"
    signed = [each for each in conditions_of(answer) if isinstance(each, dict)]
    metadata = {
        "x-amz-meta-matteline-product": "faces",
        "x-amz-meta-matteline-redact": "blur",
        "x-amz-meta-matteline-attributes": "age_gender",
    }
    assert all({name: text} in signed for name, text in metadata.items())
    assert metadata.items() <= answer.json["fields"].items()


def test_no_upload_asks_for_its_own_product(ask: Ask) -> None:
    for body in ({}, {"product": "cutout"}, {"name": "talk.mp3", "product": "transcript"}):
        assert "x-amz-meta-matteline-product" not in upload(ask, **body).json["fields"]


def test_faces_are_those_of_a_photo(ask: Ask) -> None:
    answer = upload(ask, name="talk.mp3", product="faces")

    require_problem(answer, 422, "InvalidRequest")
    assert answer.json["detail"] == "a file called talk.mp3 starts transcript, not faces"


@pytest.mark.parametrize(
    ("product", "options", "wrong"),
    [
        ("cutout", {"redact": "blur"}, "body.options.redact"),
        ("faces", {"crop": True}, "body.options.crop"),
        ("faces", {"redact": "blurr"}, "body.options.redact"),
        ("faces", {"embedder": "face-api-resnet34"}, "body.options.embedder"),
    ],
)
def test_options_are_those_of_the_product_that_was_asked_for(
    ask: Ask, product: str, options: dict[str, Any], wrong: str
) -> None:
    answer = upload(ask, product=product, options=options)

    assert answer.status == 422
    assert [each["field"] for each in answer.json["errors"]] == [wrong]


def test_the_nearest_product_is_named(ask: Ask) -> None:
    assert "'cutout'" in upload(ask, product="cutouts").json["detail"]
    assert upload(ask, product="cutout").status == 201


@pytest.mark.parametrize(
    ("options", "name", "fields"),
    [
        ({"margin": 101}, "InvalidOptions", ["margin"]),
        ({"marign": 1}, "InvalidOptions", ["marign"]),
        ({"format": "gif", "size": 0}, "InvalidOptions", ["format", "size"]),
        ({"outputs": ["mask", "x"]}, "InvalidOptions", ["outputs.1"]),
        ({"margin": 5}, "InvalidOptions", ["margin"]),
        ({"format": "jpeg"}, "InvalidOptions", ["format"]),
        ({"outputs": ["mask"], "format": "webp"}, "InvalidOptions", ["format"]),
        (
            {"format": "jpeg", "background": "#ffffff", "effort": "small"},
            "InvalidOptions",
            ["effort"],
        ),
        ({"model": None}, "InvalidOptions", ["model"]),
        ({"model": "u2nett"}, "UnknownModel", ["model"]),
        (
            {"model": "u2net", "prompts": [{"points": [{"x": 1, "y": 1}]}]},
            "InvalidPrompt",
            ["prompts"],
        ),
        ({"model": "sam-vit-b"}, "InvalidPrompt", ["prompts"]),
    ],
)  # fmt: skip
def test_wrong_options_are_refused_before_anything_is_uploaded(
    ask: Ask, options: dict[str, Any], name: str, fields: list[str]
) -> None:
    answer = upload(ask, options=options)

    require_problem(answer, 422, name)
    assert [each["field"] for each in answer.json["errors"]] == [
        f"body.options.{field}" for field in fields
    ]


def test_options_that_do_not_fit_into_metadata_are_refused(ask: Ask) -> None:
    many = [{"points": [{"x": n + 0.125, "y": m + 0.25} for n in range(16)]} for m in range(8)]
    answer = upload(ask, options={"model": "sam-vit-b", "prompts": many})

    require_problem(answer, 422, "InvalidOptions")
    assert re.search(r"[\d,]+ bytes as metadata; S3 allows 2,048", answer.json["detail"])


@pytest.mark.parametrize("authorizer", [None, {}, {"iam": None}])
def test_without_a_user_nothing_is_signed(ask: Ask, authorizer: Any) -> None:
    body = json.dumps({"name": "cat.jpg", "bytes": 1})
    headers = {"content-type": "application/json", "x-matteline-principal": "ada"}
    answer = ask("POST", "/uploads", body=body, authorizer=authorizer, headers=headers)

    require_problem(answer, 403, "NoPrincipal")

"""Bedrock's responses become bytes or named errors, for every error the service declares."""

from __future__ import annotations

import io
from collections.abc import Iterator

import pytest
from botocore.config import Config
from botocore.exceptions import ClientError
from botocore.response import StreamingBody
from botocore.stub import Stubber

from pipeline.aws.bedrock import Bedrock
from pipeline.errors import ModelNotOffered, ModelUnavailable, PhotoRefused, PipelineError
from tests.bedrock import make_client

MODEL = "us.test.remove-background-v1:0"


@pytest.fixture
def stubber() -> Iterator[Stubber]:
    with Stubber(make_client()) as stub:
        yield stub


def test_a_request_and_its_answer_are_json(stubber: Stubber) -> None:
    stubber.add_response(
        "invoke_model",
        {"body": StreamingBody(io.BytesIO(b'{"b": 2}'), 8), "contentType": "application/json"},
        {
            "modelId": MODEL,
            "body": '{"a": 1}',
            "contentType": "application/json",
            "accept": "application/json",
        },
    )

    assert Bedrock(stubber.client).invoke(MODEL, {"a": 1}) == b'{"b": 2}'


ANSWERS: dict[tuple[str, int, str], type[PipelineError]] = {
    ("ThrottlingException", 429, "Too many requests"): ModelUnavailable,
    ("ServiceQuotaExceededException", 400, "Too many images per minute"): ModelUnavailable,
    ("ModelNotReadyException", 429, "The model is being loaded"): ModelUnavailable,
    ("ModelTimeoutException", 408, "It took too long"): ModelUnavailable,
    ("ModelErrorException", 424, "It failed"): ModelUnavailable,
    ("InternalServerException", 500, "Oh"): ModelUnavailable,
    ("ServiceUnavailableException", 503, "Later"): ModelUnavailable,
    ("AccessDeniedException", 403, "You don't have access to the model"): ModelNotOffered,
    ("ResourceNotFoundException", 404, "The end of its life"): ModelNotOffered,
    ("ValidationException", 400, "The provided model identifier is invalid."): ModelNotOffered,
    ("ValidationException", 400, "Operation not allowed"): ModelNotOffered,
    ("ValidationException", 400, "on-demand throughput isn't supported"): ModelNotOffered,
    ("ValidationException", 400, "image: is too wide"): PhotoRefused,
}


@pytest.mark.parametrize(("code", "status", "says"), ANSWERS)
def test_an_error_of_the_service_raises_a_named_error(
    stubber: Stubber, code: str, status: int, says: str
) -> None:
    stubber.add_client_error("invoke_model", code, says, http_status_code=status)

    with pytest.raises(PipelineError) as failure:
        Bedrock(stubber.client).invoke(MODEL, {})

    assert type(failure.value) is ANSWERS[code, status, says]
    assert failure.value.message == f"{MODEL}: {says} ({code})"


def test_every_error_the_service_declares_is_named_here(stubber: Stubber) -> None:
    operation = stubber.client.meta.service_model.operation_model("InvokeModel")

    assert {shape.name for shape in operation.error_shapes} == {code for code, _, _ in ANSWERS}


def test_an_expired_token_is_trouble_that_passes(stubber: Stubber) -> None:
    stubber.add_client_error("invoke_model", "ExpiredTokenException", http_status_code=403)

    with pytest.raises(ModelUnavailable):
        Bedrock(stubber.client).invoke(MODEL, {})


def test_wrong_credentials_raise_the_clients_own_error(stubber: Stubber) -> None:
    stubber.add_client_error("invoke_model", "UnrecognizedClientException", http_status_code=403)

    with pytest.raises(ClientError):
        Bedrock(stubber.client).invoke(MODEL, {})


def test_a_service_that_does_not_answer_is_unavailable() -> None:
    nobody = make_client(
        endpoint_url="http://127.0.0.1:9", config=Config(retries={"max_attempts": 0})
    )

    with pytest.raises(ModelUnavailable, match="no answer from Amazon Bedrock"):
        Bedrock(nobody).invoke(MODEL, {})

"""Models that Amazon Bedrock hosts: JSON in, JSON out, errors by our names."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError, HTTPClientError, IncompleteReadError
from botocore.exceptions import ConnectionError as NoConnection

from pipeline.errors import ModelNotOffered, ModelUnavailable, PhotoRefused

_NOT_OFFERED: Final = {"AccessDeniedException", "ResourceNotFoundException"}
_BUSY: Final = {
    "ThrottlingException", "ServiceQuotaExceededException", "ModelNotReadyException",
    "ModelTimeoutException", "ModelErrorException",
}  # fmt: skip
_SERVER_FAULT: Final = 500

# Of what a ValidationException can mean, these are about the model and not about the photo.
_ABOUT_THE_MODEL: Final = ("model identifier", "operation not allowed", "throughput")


class Bedrock:
    """The runtime API. Short retries here; long ones belong to the state machine."""

    def __init__(self, client: Any) -> None:  # noqa: ANN401 - its type is in no stub we install
        self._client = client

    @classmethod
    def connect(cls) -> Bedrock:
        """Use the credentials, region and endpoint of the environment."""
        retries = {"mode": "standard", "total_max_attempts": 3}
        config = Config(connect_timeout=5, read_timeout=75, retries=retries)  # type: ignore[arg-type]
        return cls(boto3.client("bedrock-runtime", config=config))

    def invoke(self, model_id: str, request: dict[str, Any]) -> bytes:
        """The model's answer, JSON. PhotoRefused, ModelNotOffered or ModelUnavailable if none."""
        with _named_errors(model_id):
            answer = self._client.invoke_model(
                modelId=model_id,
                body=json.dumps(request),
                contentType="application/json",
                accept="application/json",
            )
            content: bytes = answer["body"].read()
            return content


@contextmanager
def _named_errors(model_id: str) -> Iterator[None]:
    """A model that is not to be had, one that is busy, a photo it refuses; the rest are bugs."""
    try:
        yield
    except ClientError as error:
        code = error.response["Error"]["Code"]
        status = error.response["ResponseMetadata"]["HTTPStatusCode"]
        said = f"{model_id}: {error.response['Error']['Message']} ({code})"
        if code in _BUSY or status >= _SERVER_FAULT:
            raise ModelUnavailable(said) from error
        about_the_model = any(sign in said.lower() for sign in _ABOUT_THE_MODEL)
        if code in _NOT_OFFERED or (code == "ValidationException" and about_the_model):
            raise ModelNotOffered(said) from error
        if code == "ValidationException":
            raise PhotoRefused(said) from error
        raise
    except (HTTPClientError, NoConnection, IncompleteReadError) as error:
        raise ModelUnavailable(f"{model_id}: no answer from Amazon Bedrock: {error}") from error

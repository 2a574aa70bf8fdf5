"""Call models hosted by Amazon Bedrock: JSON request, JSON response, named errors."""

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
    "ModelTimeoutException", "ModelErrorException", "ExpiredTokenException",
}  # fmt: skip
_SERVER_FAULT: Final = 500

# Texts of a ValidationException about the model; all others are about the photo.
_ABOUT_THE_MODEL: Final = ("model identifier", "operation not allowed", "throughput")


class Bedrock:
    """A client of Bedrock's runtime API. Retries briefly; the state machine retries for longer."""

    def __init__(self, client: Any) -> None:  # noqa: ANN401 - no installed stub has its type
        self._client = client

    @classmethod
    def connect(cls) -> Bedrock:
        """Use the credentials, region and endpoint of the environment."""
        retries = {"mode": "standard", "total_max_attempts": 3}
        config = Config(connect_timeout=5, read_timeout=75, retries=retries)  # type: ignore[arg-type]
        return cls(boto3.client("bedrock-runtime", config=config))

    def invoke(self, model_id: str, request: dict[str, Any]) -> bytes:
        """Return the model's JSON response.

        Raises PhotoRefused, ModelNotOffered or ModelUnavailable.
        """
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
    """Raise the named error for a busy or unavailable model or a declined photo.

    Other errors are bugs and pass unchanged.
    """
    try:
        yield
    except ClientError as error:
        code = error.response["Error"]["Code"]
        status = error.response["ResponseMetadata"]["HTTPStatusCode"]
        message = f"{model_id}: {error.response['Error']['Message']} ({code})"
        if code in _BUSY or status >= _SERVER_FAULT:
            raise ModelUnavailable(message) from error
        about_the_model = any(sign in message.lower() for sign in _ABOUT_THE_MODEL)
        if code in _NOT_OFFERED or (code == "ValidationException" and about_the_model):
            raise ModelNotOffered(message) from error
        if code == "ValidationException":
            raise PhotoRefused(message) from error
        raise
    except (HTTPClientError, NoConnection, IncompleteReadError) as error:
        raise ModelUnavailable(f"{model_id}: no answer from Amazon Bedrock: {error}") from error

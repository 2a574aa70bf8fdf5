"""Read tokens by name from Secrets Manager."""

from __future__ import annotations

from typing import Any, Final, Protocol

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError, HTTPClientError
from botocore.exceptions import ConnectionError as NoConnection

from pipeline.errors import StoreUnavailable

_MISSING: Final = {"ResourceNotFoundException", "InvalidRequestException"}
_DENIED: Final = {"AccessDeniedException", "DecryptionFailure"}
_PASSING: Final = {
    "ThrottlingException", "InternalServiceError", "RequestLimitExceeded", "ExpiredTokenException",
}  # fmt: skip
_SERVER_FAULT: Final = 500


class Unreadable(Exception):
    """The secret exists, but access is denied or it holds bytes; the message says which."""


class Secrets(Protocol):
    def read(self, name: str) -> str:
        """Return the secret's text.

        Raises KeyError if the secret is missing or scheduled for deletion, Unreadable if access is
        denied or it holds bytes, StoreUnavailable if Secrets Manager does not answer.
        """
        ...


class SecretsManager:
    """AWS Secrets Manager, with the credentials, region and endpoint of the environment."""

    def read(self, name: str) -> str:
        config = Config(connect_timeout=5, read_timeout=10)
        client: Any = boto3.client("secretsmanager", config=config)
        try:
            secret = client.get_secret_value(SecretId=name)
        except ClientError as error:
            code = error.response["Error"]["Code"]
            status = error.response["ResponseMetadata"]["HTTPStatusCode"]
            if code in _MISSING:
                raise KeyError(name) from error
            if code in _DENIED:
                raise Unreadable(f"Secrets Manager answered {code}") from error
            if code in _PASSING or status >= _SERVER_FAULT:
                raise StoreUnavailable(f"Secrets Manager answered {code} for {name!r}") from error
            raise
        except (HTTPClientError, NoConnection) as error:
            raise StoreUnavailable(f"Secrets Manager did not answer: {error}") from error
        if "SecretString" not in secret:
            raise Unreadable("it holds bytes, not text")
        return str(secret["SecretString"])

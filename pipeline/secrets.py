"""Tokens that are not in any file: read by name, from Secrets Manager."""

from __future__ import annotations

from typing import Any, Final, Protocol

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from pipeline.errors import StoreUnavailable

_MISSING: Final = {"ResourceNotFoundException", "InvalidRequestException"}
_THROTTLED: Final = {"ThrottlingException", "InternalServiceError", "RequestLimitExceeded"}
_SERVER_FAULT: Final = 500


class Secrets(Protocol):
    def read(self, name: str) -> str:
        """The secret's text; KeyError if there is none, or it is about to be deleted."""
        ...


class SecretsManager:
    """AWS Secrets Manager, with the credentials, region and endpoint of the environment."""

    def read(self, name: str) -> str:
        config = Config(connect_timeout=5, read_timeout=10)
        client: Any = boto3.client("secretsmanager", config=config)
        try:
            return str(client.get_secret_value(SecretId=name)["SecretString"])
        except ClientError as error:
            code = error.response["Error"]["Code"]
            status = error.response["ResponseMetadata"]["HTTPStatusCode"]
            if code in _MISSING:
                raise KeyError(name) from error
            if code in _THROTTLED or status >= _SERVER_FAULT:
                raise StoreUnavailable(f"Secrets Manager answered {code} for {name!r}") from error
            raise
        except BotoCoreError as error:
            raise StoreUnavailable(f"Secrets Manager did not answer: {error}") from error

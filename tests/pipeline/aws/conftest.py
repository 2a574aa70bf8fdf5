"""Stores that a test connects to a port of this machine."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import boto3
import pytest
from botocore.config import Config

from pipeline.aws.s3 import S3Store


@pytest.fixture
def reached(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[int], S3Store]]:
    """Provide stores that connect to a port of this machine, that try once, for some seconds."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "nobody")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "nothing")
    config = Config(
        connect_timeout=2,
        read_timeout=4,  # a busy machine takes seconds to answer itself
        retries={"total_max_attempts": 1},
        s3={"addressing_style": "path"},
    )
    clients = []

    def connect(port: int) -> S3Store:
        address = f"http://127.0.0.1:{port}"
        clients.append(
            boto3.client("s3", region_name="us-east-1", endpoint_url=address, config=config)
        )
        return S3Store(clients[-1])

    yield connect
    for client in clients:
        client.close()

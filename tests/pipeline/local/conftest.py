"""Provide a Lambda host under each runtime client, and a whole local cloud."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from pipeline.declared.blueprint import Blueprint
from pipeline.local import source_launcher
from pipeline.local.cloud import LocalCloud, local_cloud
from pipeline.local.lambda_host import LambdaHost
from pipeline.local.runtime_api import Answer
from pipeline.local.worker import Function
from tests.conftest import ROOT

ARN = "arn:aws:lambda:us-east-1:123456789012:function:obedient"
Ask = Callable[..., Answer]


@pytest.fixture(params=["awslambdaric", "pipeline.local.runtime_client"])
def host(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[LambdaHost]:
    monkeypatch.setattr(source_launcher, "RUNTIME_CLIENT", request.param)
    monkeypatch.setenv("AWS_PROFILE", "the-users")
    functions = [
        Function("obedient", "tests.pipeline.local.handlers.obey", memory_mb=256, timeout_s=1),
        Function("broken", "tests.pipeline.local.handlers_broken.obey", memory_mb=256, timeout_s=1),
        Function("absent", "tests.pipeline.local.handlers.nobody", memory_mb=256, timeout_s=1),
    ]
    host = LambdaHost(
        functions, launcher=source_launcher.SourceLauncher(ROOT), logs=tmp_path, concurrency=2
    )
    yield host
    host.stop()


@pytest.fixture
def ask(host: LambdaHost) -> Ask:
    def ask_for(**event: Any) -> Answer:
        return host.invoke("obedient", json.dumps(event).encode(), function_arn=ARN)

    return ask_for


@pytest.fixture(scope="module")
def cloud() -> Iterator[LocalCloud]:
    with local_cloud(Blueprint.read(ROOT)) as cloud:
        yield cloud

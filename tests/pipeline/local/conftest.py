"""Provide a Lambda host for each launcher and runtime client, and a whole local cloud."""

from __future__ import annotations

import contextlib
import itertools
import json
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from pipeline.declared.blueprint import Blueprint
from pipeline.local import source_launcher
from pipeline.local.cloud import LocalCloud, local_cloud
from pipeline.local.fork_launcher import ForkLauncher
from pipeline.local.lambda_host import LambdaHost
from pipeline.local.runtime_api import Answer
from pipeline.local.worker import Function, Launcher
from tests.conftest import ROOT

ARN = "arn:aws:lambda:us-east-1:123456789012:function:obedient"
Ask = Callable[..., Answer]


WAYS = itertools.product(["fork", "exec"], ["awslambdaric", "pipeline.local.runtime_client"])


@pytest.fixture(params=WAYS, ids="-".join)
def launcher(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[Launcher]:
    """Each way to start a worker, for each runtime client."""
    way, client = request.param
    monkeypatch.setattr(source_launcher, "RUNTIME_CLIENT", client)
    monkeypatch.setenv("AWS_PROFILE", "the-users")
    if way == "exec":
        yield source_launcher.SourceLauncher(ROOT)
        return
    if sys.platform != "linux":
        pytest.skip("workers are forks on Linux only")
    with contextlib.closing(ForkLauncher(ROOT, [], {})) as forks:
        yield forks


@pytest.fixture
def host(launcher: Launcher, tmp_path: Path) -> Iterator[LambdaHost]:
    functions = [
        Function("obedient", "tests.pipeline.local.handlers.obey", memory_mb=256, timeout_s=1),
        Function("broken", "tests.pipeline.local.handlers_broken.obey", memory_mb=256, timeout_s=1),
        Function("absent", "tests.pipeline.local.handlers.nobody", memory_mb=256, timeout_s=1),
    ]
    host = LambdaHost(functions, launcher=launcher, logs=tmp_path, concurrency=2)
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

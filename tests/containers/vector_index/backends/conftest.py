"""Collections on a server of moto's."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from containers.vector_index.stored import places
from pipeline.local.moto import compat
from pipeline.local.server import LocalServer, moto_app
from tests.containers.vector_index.backends.desk import Desk
from tests.containers.vector_index.desk import clock_ahead


@pytest.fixture(scope="session")
def endpoint() -> Iterator[str]:
    compat.apply()
    server = LocalServer(0)
    server.start(moto_app())
    yield f"http://127.0.0.1:{server.port}"
    server.stop()


@pytest.fixture
def desk(
    request: pytest.FixtureRequest,
    endpoint: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Desk:
    """A desk for a collection of the backend that a test is parametrised with, or of segments."""
    for name, value in {
        "AWS_ENDPOINT_URL": endpoint,
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_ACCESS_KEY_ID": "x",
        "AWS_SECRET_ACCESS_KEY": "x",
    }.items():
        monkeypatch.setenv(name, value)
    return Desk(tmp_path, backend=getattr(request, "param", "segments"))


@pytest.fixture
def wait(monkeypatch: pytest.MonkeyPatch) -> Callable[[float], None]:
    """Let days pass for the vector index."""

    def pass_by(days: float) -> None:
        monkeypatch.setattr(places, "time", clock_ahead(timedelta(days=days)))

    return pass_by


@pytest.fixture
def once(
    monkeypatch: pytest.MonkeyPatch,
) -> Callable[[Any, str, Callable[[], object]], None]:
    """Let something else happen before a function is called for the first time."""

    def interrupt(place: Any, name: str, happen: Callable[[], object]) -> None:
        function, left = getattr(place, name), [happen]

        def interrupted(*arguments: Any, **options: Any) -> Any:
            if left:
                left.pop()()
            return function(*arguments, **options)

        monkeypatch.setattr(place, name, interrupted)

    return interrupt

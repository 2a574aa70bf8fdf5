"""What the unit tests share."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from pipeline import task


@pytest.fixture
def fresh_workbench(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    task._workbench.cache_clear()
    yield
    task._workbench.cache_clear()

"""A cell for all recordings of a test module."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.hostile.recordings.warder import Warder


@pytest.fixture(scope="module")
def warder() -> Iterator[Warder]:
    with Warder() as warder:
        yield warder

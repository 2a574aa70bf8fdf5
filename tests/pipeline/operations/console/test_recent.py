"""A stage is asked for the same list only some times a minute; a local cloud each time."""

from __future__ import annotations

import time
from itertools import count
from typing import Any

import pytest

from pipeline.declared.names import LOCAL_NAMES, stage_names
from pipeline.operations.console.recent import LASTS_S, recent
from pipeline.operations.site import Site, local_site


def site(names: Any) -> Site:
    return local_site(names, "http://127.0.0.1:1", ())


def test_an_answer_of_a_stage_is_kept_for_some_seconds(monkeypatch: pytest.MonkeyPatch) -> None:
    dev = site(stage_names("dev", account="1", region="eu-central-1"))
    numbers, now = count(), [time.monotonic()]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])

    def ask(*asked: str) -> int:
        return recent(dev, "test", *asked, answer=lambda: next(numbers))

    assert [ask("a"), ask("a"), ask("b"), ask("a")] == [0, 0, 1, 0]
    now[0] += LASTS_S
    assert [ask("a"), ask("a")] == [2, 2]


def test_a_local_cloud_answers_each_time() -> None:
    numbers = count()

    def ask() -> int:
        return recent(site(LOCAL_NAMES), "test", answer=lambda: next(numbers))

    assert [ask(), ask()] == [0, 1]

"""Two hundred uploads at once, some of them bad, some sent twice: none is lost or done twice."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Final

import pytest

from tests.api.counts import COUNTS
from tests.conftest import ROOT
from tests.execution.api import User, send, wait_for
from tests.pictures import png, square
from tests.pipeline.cli.terminal import Terminal, beside_up

UPLOADS: Final = 200
TWICE: Final = range(0, UPLOADS, 20)
AT_ONCE: Final = 16
TEXT: Final = b"Dear diary, today I was no photo."
CUT: Final = png(square(side=48, left=8, top=8, size=24))[:60]


def content_of(number: int) -> tuple[bytes, str]:
    """Return what is uploaded, and the state that its job must reach."""
    if number % 20 == 3:
        return TEXT, "quarantined"
    if number % 20 == 11:
        return CUT, "quarantined"
    pixels = square(side=48, left=number % 24, top=number // 24, size=24)
    return png(pixels), "done"


@pytest.fixture(scope="module")
def own_up(
    environment: dict[str, str], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Terminal]:
    """A cloud on which nothing else was uploaded."""
    with beside_up(ROOT, tmp_path_factory.mktemp("load"), environment) as terminal:
        yield terminal


@pytest.mark.timeout(240)
def test_two_hundred_uploads_at_once_are_all_accounted_for(own_up: Terminal) -> None:
    user, begun = User(f"{own_up.endpoint}/api", "crowd"), time.monotonic()
    contents = [content_of(number) for number in range(UPLOADS)]

    def upload(number: int) -> str:
        content, _ = contents[number]
        form = user.upload(name=f"{number:03}.png", bytes=len(content))
        for _ in range(2 if number in TWICE else 1):
            answer = send(form, content)
            assert answer.status == 201, answer.data
        return str(form["id"])

    with ThreadPoolExecutor(AT_ONCE) as threads:
        ids = list(threads.map(upload, range(UPLOADS)))
    ended = [wait_for(user, name, "done", "duplicate", "quarantined", "failed") for name in ids]
    COUNTS.append(f"load: {UPLOADS} uploads ended in {time.monotonic() - begun:.0f} s")

    assert [each["state"] for each in ended] == [state for _, state in contents]
    assert [each["key"].rpartition("/")[2] for each in ended] == [
        f"{number:03}.png" for number in range(UPLOADS)
    ]
    assert all(len(each["results"]) == 1 for each in ended if each["state"] == "done")
    ends = Counter(state.upper() for _, state in contents) + Counter(DUPLICATE=len(TWICE))
    counts = ", ".join(f"{times} {state}" for state, times in sorted(ends.items()))
    audited = own_up.type(
        f"matteline jobs audit --endpoint-url {own_up.endpoint} --patience 0 --content"
    )
    assert f"cutout: {UPLOADS + len(TWICE)} objects: {counts}\n" in audited

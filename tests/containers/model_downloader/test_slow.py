"""A source that is slow, silent or late is given up with a reason, and another one is asked."""

from __future__ import annotations

import itertools
import math
import socket
from collections.abc import Iterator

import pytest

from containers.model_downloader.pace import LEAST_BYTES_PER_S, WINDOW_S, Pace
from containers.model_downloader.web import Web as Client
from pipeline.errors import WeightsUnavailable
from pipeline.weights.proxies import Proxies
from tests.containers.model_downloader.desks import CONTENT, SHA256, Desk, wanted
from tests.containers.model_downloader.server import Web

HALF = len(CONTENT) // 2


def ticking(seconds: float) -> Iterator[float]:
    """A clock that has moved on by so much whenever somebody looks."""
    return itertools.count(0, seconds)


def test_a_source_that_trickles_is_given_up(web: Web, desk: Desk) -> None:
    trickling = web.put("/trickling", CONTENT)
    clock = ticking(10 * len(CONTENT) / LEAST_BYTES_PER_S)
    intake = desk.intake(pace=Pace(math.inf, clock=lambda: next(clock)))

    with pytest.raises(WeightsUnavailable, match=r"/trickling \(it sends [\d,]+ bytes/s"):
        desk.sources().fetch(wanted(trickling), intake)


def test_a_source_that_is_still_sending_when_the_time_is_up_is_given_up(
    web: Web, desk: Desk
) -> None:
    url = web.put("/w", CONTENT)
    clock = ticking(1)
    intake = desk.intake(pace=Pace(ends_at=2, clock=lambda: next(clock)))

    with pytest.raises(WeightsUnavailable, match=r"/w \(it ran out of time after [\d,]+ bytes"):
        desk.sources().fetch(wanted(url), intake)


def test_a_source_that_goes_silent_is_given_up(web: Web, desk: Desk) -> None:
    good = web.put("/good", CONTENT)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}/w"
        sources = desk.sources()
        hasty = Client(Proxies(), patience_s=0.2)
        intake = desk.intake()

        came_from = type(sources)(None, "", hasty, desk.store, desk.vault).fetch(
            wanted(url, good), intake
        )

    assert came_from == good
    assert intake.checksums["sha256"] == SHA256


def test_a_source_that_falls_silent_half_way_is_asked_for_the_rest(web: Web, desk: Desk) -> None:
    url = web.put("/w", CONTENT, breaks=[HALF], stalls=True)
    intake = desk.intake()

    Client(Proxies(), patience_s=0.2).download(url, intake, token=None)

    assert intake.checksums["sha256"] == SHA256
    assert web.sent("range") == [None, f"bytes={HALF}-"]


def test_a_pace_is_kept_over_windows_not_over_moments() -> None:
    now = [0.0]
    pace = Pace(math.inf, clock=lambda: now[0])
    enough = int(LEAST_BYTES_PER_S * WINDOW_S)
    pace.start()

    for window in range(1, 4):
        now[0] = window * WINDOW_S - 1
        pace.check((window - 1) * enough)
        now[0] = window * WINDOW_S
        pace.check(window * enough)
    now[0] = 4 * WINDOW_S
    with pytest.raises(OSError, match="bytes/s; "):
        pace.check(4 * enough - 1)

"""A broken download goes on where it broke, and never mixes two states of a file."""

from __future__ import annotations

import itertools
import math
import socket
import threading
from collections.abc import Iterator

import pytest

from containers.model_downloader.pace import LEAST_BYTES_PER_S, WINDOW_S, Pace
from containers.model_downloader.web import Web as Client
from pipeline.errors import WeightsUnavailable
from pipeline.network import Network
from tests.containers.model_downloader.conftest import CONTENT, SHA256, Desk, wanted
from tests.containers.model_downloader.server import Page, Web

OTHER = CONTENT[::-1]
HALF = len(CONTENT) // 2


def test_a_broken_download_goes_on_from_the_bytes_it_has(web: Web, desk: Desk) -> None:
    url = web.put("/w", CONTENT, breaks=[HALF, 300_000])

    assert desk.fetch(wanted(url)) == SHA256
    assert desk.target.read_bytes() == CONTENT
    assert web.sent("range") == [None, f"bytes={HALF}-", f"bytes={HALF + 300_000}-"]
    assert web.sent("if-range") == [None, '"1"', '"1"']


def test_what_is_uploaded_on_the_way_is_the_file_too(web: Web, desk: Desk) -> None:
    file = wanted(web.put("/w", CONTENT, breaks=[HALF]))
    intake = desk.intake()
    desk.sources().fetch(file, intake)
    intake.publish()

    assert [path.read_bytes() for path in desk.store.root.rglob("w.onnx")] == [CONTENT]


def test_a_server_without_ranges_starts_again_from_the_first_byte(web: Web, desk: Desk) -> None:
    url = web.put("/w", CONTENT, ranges=False, breaks=[HALF])

    assert desk.fetch(wanted(url)) == SHA256
    assert desk.target.read_bytes() == CONTENT


@pytest.mark.parametrize("etag", [None, 'W/"1"'], ids=["none", "weak"])
def test_a_file_that_cannot_be_told_from_another_is_not_continued(
    web: Web, desk: Desk, etag: str | None
) -> None:
    url = web.put("/w", CONTENT, etag=etag, breaks=[HALF])

    assert desk.fetch(wanted(url)) == SHA256
    assert web.sent("range") == [None, None]


def becomes(page: Page, body: bytes, *, etag: str = '"2"') -> None:
    """The next time it is asked for, another file lies there."""

    def replace(number: int) -> None:
        if number == 1:
            page.body, page.etag = body, etag

    page.before = replace


@pytest.mark.parametrize("splices", [False, True], ids=["sends it all", "sends a part of it"])
def test_a_file_that_changed_in_between_is_never_spliced(
    web: Web, desk: Desk, *, splices: bool
) -> None:
    url = web.put("/w", OTHER, splices=splices, breaks=[HALF])
    becomes(web.pages["/w"], CONTENT)

    assert desk.fetch(wanted(url)) == SHA256
    assert desk.target.read_bytes() == CONTENT


def test_a_file_that_shrank_in_between_is_read_from_its_start(web: Web, desk: Desk) -> None:
    url = web.put("/w", CONTENT + CONTENT, splices=True, breaks=[len(CONTENT) + 9])
    becomes(web.pages["/w"], CONTENT)

    assert desk.fetch(wanted(url)) == SHA256


def test_a_part_of_another_place_is_not_taken(web: Web, desk: Desk) -> None:
    url = web.put("/w", CONTENT, breaks=[HALF], shifted_by=7)

    assert desk.fetch(wanted(url)) == SHA256
    assert web.sent("range") == [None, f"bytes={HALF}-", None]


def test_a_server_that_breaks_at_the_same_byte_again_is_given_up(web: Web, desk: Desk) -> None:
    broken = web.put("/broken", CONTENT, ranges=False, breaks=[HALF] * 99)
    good = web.put("/good", CONTENT)

    assert desk.fetch(wanted(broken, good)) == SHA256
    assert web.asked == ["/broken", "/broken", "/good"]


def test_a_server_that_breaks_for_ever_is_given_up(web: Web, desk: Desk) -> None:
    broken = web.put("/broken", CONTENT, breaks=[1000] * 99)

    with pytest.raises(WeightsUnavailable, match=r"/broken \(.*Incomplete"):
        desk.fetch(wanted(broken))
    assert len(web.asked) == 8


def test_the_next_source_starts_with_nothing_of_the_last_one(web: Web, desk: Desk) -> None:
    broken = web.put("/broken", OTHER, ranges=False, breaks=[HALF] * 2)
    good = web.put("/good", CONTENT)

    assert desk.fetch(wanted(broken, good)) == SHA256
    assert desk.target.read_bytes() == CONTENT


def ticking(seconds: float) -> Iterator[float]:
    """A clock that has moved on by so much whenever somebody looks."""
    return itertools.count(0, seconds)


def test_a_source_that_trickles_is_given_up(web: Web, desk: Desk) -> None:
    trickling = web.put("/trickling", CONTENT)
    clock = ticking(10 * len(CONTENT) / LEAST_BYTES_PER_S)
    intake = desk.intake(pace=Pace(math.inf, clock=lambda: next(clock)))

    with pytest.raises(WeightsUnavailable, match=r"/trickling \(it sends [\d,]+ bytes a second"):
        desk.sources().fetch(wanted(trickling), intake)


def test_a_source_that_is_still_sending_when_the_time_is_up_is_given_up(
    web: Web, desk: Desk
) -> None:
    url = web.put("/w", CONTENT)
    clock = ticking(1)
    intake = desk.intake(pace=Pace(ends_at=2, clock=lambda: next(clock)))

    with pytest.raises(WeightsUnavailable, match=r"/w \(the time was up after [\d,]+ bytes"):
        desk.sources().fetch(wanted(url), intake)


def test_a_source_that_goes_silent_is_given_up(web: Web, desk: Desk) -> None:
    good = web.put("/good", CONTENT)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}/w"
        sources = desk.sources()
        hasty = Client(Network(), patience_s=0.2)
        intake = desk.intake()

        came_from = type(sources)(None, "", hasty, desk.store, desk.vault).fetch(
            wanted(url, good), intake
        )

    assert came_from == good
    assert intake.checksums["sha256"] == SHA256


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
    with pytest.raises(OSError, match="bytes a second"):
        pace.check(4 * enough - 1)


@pytest.fixture
def proxy() -> Iterator[tuple[str, list[str]]]:
    """A proxy that answers everything itself, and what it was asked for."""
    asked: list[str] = []
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(5)

        def serve() -> None:
            connection, _ = server.accept()
            with connection:
                request = connection.recv(65_536).decode()
                asked.append(request)
                head = f"HTTP/1.1 200 OK\r\nContent-Length: {len(CONTENT)}\r\n\r\n"
                connection.sendall(head.encode() + CONTENT)

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield f"http://ada:l%40ce@127.0.0.1:{server.getsockname()[1]}", asked
        server.close()
        thread.join(6)


def test_a_proxy_is_asked_where_the_environment_names_one(
    desk: Desk, proxy: tuple[str, list[str]]
) -> None:
    address, asked = proxy
    network = Network.from_environment({"HTTP_PROXY": address, "NO_PROXY": "localhost"})
    intake = desk.intake()

    desk.sources(network=network).fetch(wanted("http://publisher.invalid/w.onnx"), intake)

    assert intake.checksums["sha256"] == SHA256
    assert asked[0].startswith("GET http://publisher.invalid/w.onnx")
    assert "roxy-authorization: basic ywrhomxay2u=" in asked[0].lower()


@pytest.mark.parametrize("name", ["no_proxy", "NO_PROXY"])
def test_a_host_that_needs_no_proxy_is_asked_directly(web: Web, desk: Desk, name: str) -> None:
    network = Network.from_environment({"http_proxy": "127.0.0.1:9", name: "127.0.0.1"})
    intake = desk.intake()

    desk.sources(network=network).fetch(wanted(web.put("/w", CONTENT)), intake)

    assert intake.checksums["sha256"] == SHA256

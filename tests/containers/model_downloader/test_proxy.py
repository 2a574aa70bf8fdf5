"""Sources are asked through the proxy that the environment names, or directly."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator

import pytest

from pipeline.weights.proxies import Proxies
from tests.containers.model_downloader.desks import CONTENT, SHA256, Desk, wanted
from tests.containers.model_downloader.server import Web


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
    network = Proxies.from_environment({"HTTP_PROXY": address, "NO_PROXY": "localhost"})
    intake = desk.intake()

    desk.sources(network=network).fetch(wanted("http://publisher.invalid/w.onnx"), intake)

    assert intake.checksums["sha256"] == SHA256
    assert asked[0].startswith("GET http://publisher.invalid/w.onnx")
    assert "roxy-authorization: basic ywrhomxay2u=" in asked[0].lower()


@pytest.mark.parametrize("name", ["no_proxy", "NO_PROXY"])
def test_a_host_that_needs_no_proxy_is_asked_directly(web: Web, desk: Desk, name: str) -> None:
    network = Proxies.from_environment({"http_proxy": "127.0.0.1:9", name: "127.0.0.1"})
    intake = desk.intake()

    desk.sources(network=network).fetch(wanted(web.put("/w", CONTENT)), intake)

    assert intake.checksums["sha256"] == SHA256

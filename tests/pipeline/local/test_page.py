"""The page's files are served at the port's root, with headers, and nothing beside them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import urllib3

from pipeline.declared.page import security_headers
from pipeline.local.page import Page
from pipeline.local.server import LocalServer

FILES = {
    "index.html": b"<!doctype html>",
    "app.js": b"export {}",
    "views/cutout/view.js": b"export {}",
    "style.css": b"p {}",
    "art/vase.svg": b"<svg/>",
    "README.md": b"not of the page",
    "vendor/hashes.json": b"{}",
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "page"
    for name, content in FILES.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    (tmp_path / "secret.js").write_text("")
    return folder


@pytest.fixture
def address(folder: Path) -> Iterator[str]:
    def service(_environ: Any, start_response: Any) -> list[bytes]:
        start_response("200 OK", [("Content-Length", "7")])
        return [b"service"]

    server = LocalServer(0)
    address = f"http://127.0.0.1:{server.port}"
    server.start(Page(service, folder, origin=address))
    yield address
    server.stop()


def get(url: str, method: str = "GET", **headers: str) -> urllib3.BaseHTTPResponse:
    named = {name.replace("_", "-"): text for name, text in headers.items()}
    return urllib3.request(method, url, headers=named, redirect=False)


@pytest.mark.parametrize(
    ("path", "name", "media_type"),
    [
        ("/", "index.html", "text/html; charset=utf-8"),
        ("/index.html", "index.html", "text/html; charset=utf-8"),
        ("/app.js", "app.js", "text/javascript; charset=utf-8"),
        ("/views/cutout/view.js", "views/cutout/view.js", "text/javascript; charset=utf-8"),
        ("/style.css", "style.css", "text/css; charset=utf-8"),
        ("/art/vase.svg", "art/vase.svg", "image/svg+xml"),
    ],
)
def test_a_file_has_its_media_type_and_the_security_headers(
    address: str, path: str, name: str, media_type: str
) -> None:
    answer = get(address + path)

    assert (answer.status, answer.data) == (200, FILES[name])
    assert answer.headers["Content-Type"] == media_type
    assert security_headers().items() <= dict(answer.headers).items()


def test_a_browser_keeps_a_file_until_it_changes(address: str, folder: Path) -> None:
    first = get(f"{address}/app.js")
    again = get(f"{address}/app.js", if_none_match=first.headers["ETag"])
    (folder / "app.js").write_text("export default 1")
    changed = get(f"{address}/app.js", if_none_match=first.headers["ETag"])

    assert first.headers["Cache-Control"] == "no-cache"
    assert (again.status, again.data) == (304, b"")
    assert (changed.status, changed.data) == (200, b"export default 1")


def test_head_has_no_body(address: str) -> None:
    answer = get(f"{address}/", "HEAD")

    assert (answer.status, answer.data, answer.headers["Content-Length"]) == (200, b"", "15")


@pytest.mark.parametrize(
    ("method", "path", "headers"),
    [
        pytest.param("GET", "/", {"authorization": "AWS4-HMAC-SHA256 …"}, id="S3's ListBuckets"),
        pytest.param("GET", "/?Action=ListQueues", {}, id="a query"),
        pytest.param("POST", "/", {}, id="a call"),
        pytest.param("GET", "/matteline-local-ingest/cat.jpg", {}, id="an object"),
        pytest.param("GET", "/README.md", {}, id="a file of another kind"),
        pytest.param("GET", "/vendor/hashes.json", {}, id="the hashes"),
        pytest.param("GET", "/%2e%2e/secret.js", {}, id="a file outside"),
    ],
)
def test_everything_else_is_passed_on(
    address: str, method: str, path: str, headers: dict[str, str]
) -> None:
    given = {name: text.encode().decode("latin-1") for name, text in headers.items()}

    assert get(address + path, method, **given).data == b"service"


def test_the_configuration_says_that_nobody_signs_in(address: str) -> None:
    answer = get(f"{address}/config.json")

    assert (answer.status, answer.data) == (200, b'{"sign_in":null}')
    assert answer.headers["Content-Type"] == "application/json"
    assert security_headers().items() <= dict(answer.headers).items()


def test_another_name_of_the_machine_is_sent_to_the_address_that_forms_have(address: str) -> None:
    port = address.rpartition(":")[2]

    answer = get(f"{address}/", host=f"localhost:{port}")

    assert (answer.status, answer.headers["Location"]) == (307, f"{address}/")


def test_the_policy_allows_nothing_inline_and_no_other_origin() -> None:
    policy = security_headers()["Content-Security-Policy"]

    assert policy.startswith("default-src 'none'; ")
    assert "unsafe" not in policy
    assert "http" not in policy
    assert "*" not in policy

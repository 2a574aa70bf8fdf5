"""Weights come from the first source that has them whole, and only with the promised digest."""

from __future__ import annotations

import hashlib
import socket
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import unquote

import pytest
from pydantic import ValidationError

from containers.model_downloader.sources import Sources
from pipeline.errors import WeightsMismatch, WeightsUnavailable
from pipeline.manifest import WeightsFile

CONTENT = bytes(range(256)) * 9000  # more than two chunks
SHA256 = hashlib.sha256(CONTENT).hexdigest()
MD5 = hashlib.md5(CONTENT, usedforsecurity=False).hexdigest()


class Web(ThreadingHTTPServer):
    """Answers each path with (status, body, promised length), and remembers what was asked."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Answer)
        self.answers: dict[str, tuple[int, bytes, int]] = {}
        self.asked: list[str] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"

    def put(self, path: str, body: bytes, *, status: int = 200, promised: int | None = None) -> str:
        self.answers[path] = (status, body, len(body) if promised is None else promised)
        return self.url + path


class Answer(BaseHTTPRequestHandler):
    server: Web

    def do_GET(self) -> None:
        path = unquote(self.path)
        self.server.asked.append(path)
        status, body, promised = self.server.answers.get(path, (404, b"", 0))
        self.send_response(status)
        self.send_header("Content-Length", str(promised))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def web() -> Iterator[Web]:
    with Web() as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.fixture
def refusing() -> str:
    """A URL nobody listens at."""
    with socket.create_server(("127.0.0.1", 0)) as once:
        return f"http://127.0.0.1:{once.getsockname()[1]}/w.onnx"


@pytest.fixture
def target(tmp_path: Path) -> Path:
    return tmp_path / "target"


def wanted(
    *urls: str,
    name: str = "w.onnx",
    digest: str = f"sha256:{SHA256}",
    size: int | None = None,
) -> WeightsFile:
    return WeightsFile(name=name, urls=urls, digest=digest, bytes=size)


@pytest.mark.parametrize("name", ["w.onnx", "tiny v1 - final.onnx", "poids-légers.onnx"])
@pytest.mark.parametrize("digest", [f"sha256:{SHA256}", f"md5:{MD5}"])
def test_a_folder_is_a_mirror(tmp_path: Path, target: Path, name: str, digest: str) -> None:
    mirror = tmp_path / "a mirror"
    mirror.mkdir()
    (mirror / name).write_bytes(CONTENT)

    sha256 = Sources(str(mirror)).fetch(wanted(name=name, digest=digest), target)

    assert sha256 == SHA256
    assert target.read_bytes() == CONTENT


@pytest.mark.parametrize("name", ["w.onnx", "tiny v1 - final.onnx", "poids-légers.onnx"])
@pytest.mark.parametrize("slash", ["", "/"])
def test_a_url_is_a_mirror(web: Web, target: Path, name: str, slash: str) -> None:
    web.put(f"/weights/{name}", CONTENT)

    sha256 = Sources(f"{web.url}/weights{slash}").fetch(wanted(name=name), target)

    assert sha256 == SHA256
    assert target.read_bytes() == CONTENT


def test_without_a_mirror_the_catalogues_addresses_are_asked(web: Web, target: Path) -> None:
    url = web.put("/w.onnx", CONTENT)

    assert Sources(None).fetch(wanted(url, digest=f"md5:{MD5}"), target) == SHA256


def test_the_mirror_is_asked_first_and_nobody_after_it(web: Web, target: Path) -> None:
    web.put("/mirror/w.onnx", CONTENT)
    url = web.put("/publisher/w.onnx", CONTENT)

    Sources(f"{web.url}/mirror").fetch(wanted(url), target)

    assert web.asked == ["/mirror/w.onnx"]


def test_addresses_are_asked_in_order_until_one_answers(web: Web, target: Path) -> None:
    first = f"{web.url}/1"
    second, third = web.put("/2", CONTENT), web.put("/3", CONTENT)

    Sources(f"{web.url}/mirror").fetch(wanted(first, second, third), target)

    assert web.asked == ["/mirror/w.onnx", "/1", "/2"]


@pytest.mark.parametrize("status", [403, 404, 500, 503])
def test_an_error_page_is_not_weights(web: Web, target: Path, status: int) -> None:
    broken = web.put("/broken", CONTENT, status=status)
    good = web.put("/good", CONTENT)

    assert Sources(None).fetch(wanted(broken, good), target) == SHA256


def test_a_short_answer_is_not_weights(web: Web, target: Path) -> None:
    short = web.put("/short", CONTENT[:1000], promised=len(CONTENT))
    good = web.put("/good", CONTENT)

    assert Sources(None).fetch(wanted(short, good), target) == SHA256
    assert target.read_bytes() == CONTENT


def test_fewer_bytes_than_the_catalogue_states_are_not_weights(web: Web, target: Path) -> None:
    whole_to_the_server = web.put("/short", CONTENT[:1000])
    good = web.put("/good", CONTENT)

    fetched = Sources(None).fetch(wanted(whole_to_the_server, good, size=len(CONTENT)), target)

    assert fetched == SHA256
    assert target.read_bytes() == CONTENT


def test_a_source_that_ends_early_is_named_with_how_far_it_came(web: Web, target: Path) -> None:
    short = web.put("/short", CONTENT[:1000])

    with pytest.raises(
        WeightsUnavailable, match=r"/short \(it ended after 1,000 of 2,304,000 bytes"
    ):
        Sources(None).fetch(wanted(short, size=len(CONTENT)), target)


@pytest.mark.parametrize("surplus", [0, 1])
def test_bytes_of_the_stated_number_or_more_are_judged_by_their_digest(
    web: Web, target: Path, surplus: int
) -> None:
    other = web.put("/other", bytes(len(CONTENT) + surplus))
    good = web.put("/good", CONTENT)

    with pytest.raises(WeightsMismatch, match="/other has sha256"):
        Sources(None).fetch(wanted(other, good, size=len(CONTENT)), target)

    assert web.asked == ["/other"]


@pytest.mark.parametrize(
    "name",
    ["", ".", "..", "../w.onnx", "/w.onnx", "a/w.onnx", "a\\w.onnx", "..w.onnx", "w\n.onnx", "w\n"],
)
def test_weights_are_a_plain_file_name(name: str) -> None:
    with pytest.raises(ValidationError, match="name"):
        wanted(name=name)


def test_a_refused_connection_is_passed_over(web: Web, target: Path, refusing: str) -> None:
    good = web.put("/good", CONTENT)

    assert Sources(None).fetch(wanted(refusing, good), target) == SHA256


def test_a_mirror_that_lacks_the_file_is_passed_over(
    web: Web, tmp_path: Path, target: Path
) -> None:
    good = web.put("/good", CONTENT)

    assert Sources(str(tmp_path / "nowhere")).fetch(wanted(good), target) == SHA256


def test_when_every_source_fails_each_is_named_with_its_reason(
    web: Web, tmp_path: Path, target: Path, refusing: str
) -> None:
    short = web.put("/short", CONTENT[:10], promised=1000)
    file = wanted(f"{web.url}/none", refusing, short, "ftp://old.example/w.onnx")

    with pytest.raises(WeightsUnavailable) as failure:
        Sources(str(tmp_path)).fetch(file, target)

    reasons = failure.value.message.partition("w.onnx could not be fetched: ")[2].split("; ")
    assert len(reasons) == 5
    assert reasons[0].startswith(f"{tmp_path.as_uri()}/w.onnx (")
    assert "No such file" in reasons[0]
    assert reasons[1] == f"{web.url}/none (it answered 404)"
    assert reasons[2].startswith(f"{refusing} (")
    assert "refused" in reasons[2]
    assert reasons[3].startswith(f"{short} (")
    assert "10 bytes read, 990 more expected" in reasons[3]
    assert reasons[4] == "ftp://old.example/w.onnx (ftp:// is not a way to fetch weights)"


def test_a_file_without_a_source_is_unavailable(target: Path) -> None:
    with pytest.raises(WeightsUnavailable, match="the catalogue names no source"):
        Sources(None).fetch(wanted(), target)


@pytest.mark.parametrize("digest", [f"sha256:{'0' * 64}", f"md5:{'0' * 32}"])
def test_other_bytes_than_promised_end_the_search(web: Web, target: Path, digest: str) -> None:
    first, second = web.put("/1", CONTENT), web.put("/2", CONTENT)

    with pytest.raises(WeightsMismatch, match=f"/1 has (md5 {MD5}|sha256 {SHA256}), the catalogue"):
        Sources(None).fetch(wanted(first, second, digest=digest), target)

    assert web.asked == ["/1"]

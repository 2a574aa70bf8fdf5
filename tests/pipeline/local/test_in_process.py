"""A client that is connected in its process gets the answers that it would get over HTTP."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final

import boto3
import pytest
from boto3.s3.transfer import TransferConfig
from botocore.config import Config
from botocore.exceptions import ClientError, EndpointConnectionError, HTTPClientError
from botocore.httpsession import URLLib3Session

from pipeline.local import in_process
from pipeline.local.moto import compat, memory
from pipeline.local.server import LocalServer, moto_app

BUCKET: Final = "photos"
IN_PARTS: Final = TransferConfig(multipart_threshold=1, multipart_chunksize=5 * 2**20)


def client_of(endpoint: str) -> Any:
    return boto3.client(
        "s3",
        endpoint_url=endpoint,
        region_name="us-east-1",
        aws_access_key_id="x",
        aws_secret_access_key="x",  # noqa: S106 - moto accepts any
        config=Config(retries={"total_max_attempts": 2}),
    )


class Served:
    """moto behind a door that counts requests and can break."""

    def __init__(self) -> None:
        self.requests: list[tuple[str, str]] = []
        self.broken = 0
        self._moto = moto_app()
        self.server = LocalServer(0)
        self.server.start(self)

    def __call__(self, environ: Any, start_response: Any) -> Any:
        self.requests.append((environ["REQUEST_METHOD"], environ["PATH_INFO"]))
        if self.broken:
            self.broken -= 1
            raise RuntimeError("broken")
        return self._moto(environ, start_response)

    def client(self) -> Any:
        return client_of(f"http://127.0.0.1:{self.server.port}")


@pytest.fixture
def served() -> Iterator[Served]:
    compat.apply()
    memory.forget()
    served = Served()
    served.client().create_bucket(Bucket=BUCKET)
    yield served
    served.server.stop()
    memory.forget()


@pytest.fixture
def offline(served: Served, monkeypatch: pytest.MonkeyPatch) -> Any:
    """A connected client, in a process that has no network."""

    def fail(*_: object) -> None:
        raise AssertionError("the network was used")

    monkeypatch.setattr(URLLib3Session, "send", fail)
    return in_process.connect(served.client())


def stored(s3: Any, key: str) -> tuple[bytes, str, dict[str, str]]:
    found = s3.get_object(Bucket=BUCKET, Key=key)
    return found["Body"].read(), found["ContentType"], found["Metadata"]


@pytest.mark.parametrize("key", ["a b+c%.jpg", "dir/é 漢.jpg", "x?y=1&z"])
def test_keys_types_and_metadata_arrive_as_over_http(
    served: Served, offline: Any, monkeypatch: pytest.MonkeyPatch, key: str
) -> None:
    told = {"matteline_model": "u2netp", "plain": "1"}
    offline.put_object(Bucket=BUCKET, Key=key, Body=b"1", ContentType="image/x", Metadata=told)
    near = stored(offline, key)
    monkeypatch.undo()

    assert near == stored(served.client(), key) == (b"1", "image/x", told)


@pytest.mark.parametrize("body", [b"bytes", bytearray(b"bytes"), io.BytesIO(b"bytes")])
def test_every_kind_of_body_is_stored(offline: Any, body: Any) -> None:
    offline.put_object(Bucket=BUCKET, Key="k", Body=body)

    assert stored(offline, "k")[0] == b"bytes"


def test_a_file_is_uploaded_in_parts_and_read_in_pieces(offline: Any, tmp_path: Path) -> None:
    content = bytes(range(256)) * 2**15  # 8 MiB
    (tmp_path / "photo").write_bytes(content)

    offline.upload_file(str(tmp_path / "photo"), BUCKET, "k", Config=IN_PARTS)

    found = offline.get_object(Bucket=BUCKET, Key="k")
    assert found["ETag"].endswith('-2"')
    assert b"".join(found["Body"].iter_chunks(1000)) == content
    piece = offline.get_object(Bucket=BUCKET, Key="k", Range="bytes=1-3")
    assert (piece["ResponseMetadata"]["HTTPStatusCode"], piece["Body"].read()) == (206, b"\1\2\3")


@pytest.mark.parametrize(
    "ask",
    [
        lambda s3: s3.get_object(Bucket=BUCKET, Key="missing"),
        lambda s3: s3.head_object(Bucket=BUCKET, Key="missing"),
        lambda s3: s3.put_object(Bucket=BUCKET, Key="k", Body=b"1", IfMatch="other"),
    ],
    ids=["no object", "no body", "a condition"],
)
def test_errors_are_those_of_http(
    served: Served, offline: Any, monkeypatch: pytest.MonkeyPatch, ask: Callable[[Any], Any]
) -> None:
    near = refusal(ask, offline)
    monkeypatch.undo()

    assert near == refusal(ask, served.client())


def refusal(ask: Callable[[Any], Any], s3: Any) -> tuple[Any, ...]:
    with pytest.raises(ClientError) as caught:
        ask(s3)
    response = caught.value.response
    return response["Error"], response["ResponseMetadata"]["HTTPStatusCode"]


def test_a_request_is_repeated_whole_after_an_error_of_the_server(
    served: Served, offline: Any
) -> None:
    served.broken = 1

    offline.put_object(Bucket=BUCKET, Key="k", Body=io.BytesIO(b"whole"))

    assert served.requests[-2:] == [("PUT", f"/{BUCKET}/k")] * 2
    assert stored(offline, "k")[0] == b"whole"


def test_what_a_web_page_may_not_ask_over_http_it_may_not_ask_here(offline: Any) -> None:
    def from_a_page(request: Any, **_: Any) -> None:
        request.headers["Origin"] = "https://evil.example"

    offline.meta.events.register("before-sign.s3", from_a_page)

    with pytest.raises(ClientError, match="403"):
        offline.list_buckets()


@pytest.mark.parametrize("text", ["x\ny", "x\r\nOrigin: https://evil.example"])
def test_a_header_of_several_lines_is_refused_as_over_http(
    served: Served, offline: Any, monkeypatch: pytest.MonkeyPatch, text: str
) -> None:
    def break_line(request: Any, **_: Any) -> None:
        request.headers["x-amz-meta-a"] = text

    before = len(served.requests)
    for s3 in (offline, served.client()):
        s3.meta.events.register("before-sign.s3", break_line)
        with pytest.raises(HTTPClientError, match=r"[Ii]nvalid header"):
            s3.put_object(Bucket=BUCKET, Key="k", Body=b"1")
        monkeypatch.undo()

    assert len(served.requests) == before


def test_a_stopped_server_is_not_asked(served: Served) -> None:
    s3 = in_process.connect(served.client())
    served.server.stop()
    before = len(served.requests)

    with pytest.raises(EndpointConnectionError):
        s3.list_buckets()
    assert len(served.requests) == before


def test_another_computer_with_the_same_port_is_asked_over_the_network(
    served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []

    def note(_: object, request: Any) -> None:
        asked.append(request.url)
        raise EndpointConnectionError(endpoint_url=request.url)

    monkeypatch.setattr(URLLib3Session, "send", note)
    s3 = in_process.connect(client_of(f"http://192.0.2.1:{served.server.port}"))

    with pytest.raises(EndpointConnectionError):
        s3.list_buckets()
    assert asked

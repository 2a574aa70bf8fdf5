"""No body, however broken, is stored, fills the memory, or stops the server."""

from __future__ import annotations

import datetime as dt
import io
import socket
from types import SimpleNamespace
from typing import Any, Final

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipeline.local.s3.gate import _receive
from pipeline.local.s3.policy import Policy, SizeRange
from pipeline.local.s3.refusal import Refused
from tests.pipeline.local.s3.conftest import Store, error_of

FORM: Final = "multipart/form-data"
END: Final = b"--x--\r\n"
FILE: Final = b'--x\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\nabc\r\n'


def part(name: str, content: bytes = b"1") -> bytes:
    return (
        f'--x\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n'.encode() + content + b"\r\n"
    )


def headless(disposition: str) -> bytes:
    return f"--x\r\n{disposition}\r\n\r\n1\r\n".encode()


@pytest.mark.parametrize(
    ("body", "kind", "status", "code"),
    [
        (FILE + END, FORM, 400, "MalformedPOSTRequest"),
        (FILE + END, f"{FORM}; boundary=", 400, "MalformedPOSTRequest"),
        (FILE + END, f"{FORM}; boundary=y", 400, "MalformedPOSTRequest"),
        (FILE, f"{FORM}; boundary=x", 400, "InvalidArgument"),
        (b"", f"{FORM}; boundary=x", 400, "MalformedPOSTRequest"),
        (b"--x", f"{FORM}; boundary=x", 400, "MalformedPOSTRequest"),
        (END, f"{FORM}; boundary=x", 400, "InvalidArgument"),
        (part("key") + END, f"{FORM}; boundary=x", 400, "InvalidArgument"),
        (headless("X: y") + END, f"{FORM}; boundary=x", 400, "MalformedPOSTRequest"),
        (headless("Content-Disposition: form-data") + END, f"{FORM}; boundary=x", 400,
         "MalformedPOSTRequest"),
        (headless("Content-Disposition: form-data; name*=utf-8''a%0d%0ab") + END,
         f"{FORM}; boundary=x", 400, "MalformedPOSTRequest"),
        (part("a\r\nContent-Type: text/html\r\nb") + FILE + END, f"{FORM}; boundary=x", 400,
         "MalformedPOSTRequest"),
        (part("\xff") + FILE + END, f"{FORM}; boundary=x", 400, "MalformedPOSTRequest"),
        (part("key", b"\xff\xfe") + FILE + END, f"{FORM}; boundary=x", 400, "MalformedPOSTRequest"),
        (part("key") + part("KEY") + FILE + END, f"{FORM}; boundary=x", 400, "InvalidArgument"),
        (part("key", b"k" * 30_000) + FILE + END, f"{FORM}; boundary=x", 400,
         "MaxPostPreDataLengthExceeded"),
        (part("key", b"k" * 30_000) + END, f"{FORM}; boundary=x", 400,
         "MaxPostPreDataLengthExceeded"),
        (part("n" * 30_000) + FILE + END, f"{FORM}; boundary=x", 400,
         "MaxPostPreDataLengthExceeded"),
        (b"preamble " * 5_000 + b"\r\n" + FILE + END, f"{FORM}; boundary=x", 400,
         "MaxPostPreDataLengthExceeded"),
        (b"".join(part(str(number)) for number in range(10_000)) + FILE + END,
         f"{FORM}; boundary=x", 400, "MaxPostPreDataLengthExceeded"),
        (b"key=cat.jpg&file=abc", "application/x-www-form-urlencoded", 412, "PreconditionFailed"),
        (b"abc", "image/jpeg", 412, "PreconditionFailed"),
        (b"abc", "", 412, "PreconditionFailed"),
    ],
)  # fmt: skip
def test_a_body_that_is_no_form_with_a_file_is_refused(
    store: Store, body: bytes, kind: str, status: int, code: str
) -> None:
    answer = store.send(body, kind)

    assert (answer.status, error_of(answer)["Code"]) == (status, code)
    assert store.stored() == []


def test_a_second_file_is_refused(store: Store) -> None:
    body, kind = store.encode({**store.form(), "file": ("a", b"abc")})
    boundary = kind.partition("boundary=")[2].encode()
    twice = body.replace(b"--" + boundary + b"--", FILE.replace(b"--x", b"--" + boundary, 1)
                         + b"--" + boundary + b"--")  # fmt: skip

    answer = store.send(twice, kind)

    error = error_of(answer)
    assert (error["Code"], error["ArgumentName"]) == ("InvalidArgument", "file")
    assert error["Message"] == "POST requires exactly one file upload per request."
    assert store.stored() == []


@pytest.mark.parametrize("cut", [3, 10, 100])
def test_a_form_that_breaks_off_is_refused(store: Store, cut: int) -> None:
    body, kind = store.encode({**store.form(), "file": ("a", b"abc" * 50)})

    assert error_of(store.send(body[:-cut], kind))["Code"] == "MalformedPOSTRequest"
    assert store.stored() == []


def test_a_connection_that_breaks_off_is_refused(store: Store) -> None:
    body, kind = store.encode({**store.form(), "file": ("a", b"abc" * 50)})
    head = f"POST /photos HTTP/1.1\r\nHost: localhost:{store.port}\r\nContent-Type: {kind}\r\n"

    with socket.create_connection(("127.0.0.1", store.port)) as line:
        line.sendall(f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body[:-80])
        line.shutdown(socket.SHUT_WR)
        answer = line.makefile("rb").read()

    assert b"400 Bad Request" in answer
    assert b"<Code>IncompleteBody</Code>" in answer
    assert store.stored() == []


def test_a_form_without_a_length_is_refused(store: Store) -> None:
    head = f"POST /photos HTTP/1.1\r\nHost: localhost:{store.port}\r\nContent-Type: {FORM}\r\n"

    with socket.create_connection(("127.0.0.1", store.port)) as line:
        line.sendall(f"{head}Connection: close\r\n\r\n".encode())
        answer = line.makefile("rb").read()

    assert b"<Code>MissingContentLength</Code>" in answer


def test_a_large_form_is_refused_with_an_answer(store: Store) -> None:
    answer = store.post({"key": "cat.jpg", "file": ("a", bytes(50_000_000))}, retries=False)

    assert error_of(answer)["Code"] == "AccessDenied"


@pytest.mark.parametrize("path", ["/photos?x=1", "/photos/", "/photos?uploads"])
def test_no_spelling_of_the_address_gets_around_the_check(store: Store, path: str) -> None:
    body, kind = store.encode({"key": "cat.jpg", "file": ("a", b"abc")})

    answer = store.send(body, kind, path=path)

    assert answer.status == 403
    assert store.stored() == []


def test_an_authorization_of_s3_does_not_get_around_the_check(store: Store) -> None:
    body, kind = store.encode({"key": "cat.jpg", "file": ("a", b"abc")})
    scope = "matteline/20260101/us-east-1/s3/aws4_request"

    answer = store.send(body, kind, Authorization=f"AWS4-HMAC-SHA256 Credential={scope}")

    assert answer.status == 403
    assert store.stored() == []


def test_no_more_of_a_file_is_kept_than_its_policy_allows() -> None:
    allowed = Policy(dt.datetime.now(dt.UTC), (), (SizeRange(0, 70_000),))
    chunks = iter([bytes(50_000)] * 50)
    form: Any = SimpleNamespace(read_content=lambda: chunks, finish=lambda: None)
    kept = io.BytesIO()

    with pytest.raises(Refused, match="EntityTooLarge"):
        _receive(form, allowed, kept)

    assert len(kept.getvalue()) <= 70_000
    assert next(chunks, None) is None


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(
        st.sampled_from(
            [part("key"), part("policy"), FILE, END, b"--x\r\n", b"\r\n", b"--x", b"\n"]
        )
        | st.binary(max_size=20),
        max_size=8,
    )
)
def test_any_pieces_of_a_form_are_answered_with_an_error(store: Store, pieces: list[bytes]) -> None:
    answer = store.send(b"".join(pieces), f"{FORM}; boundary=x")

    assert 400 <= answer.status < 500
    assert error_of(answer)["Code"]

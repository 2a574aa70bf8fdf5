"""A request goes to the checked address, once, in limited time; redirects lead nowhere."""

from __future__ import annotations

import datetime as dt
import ssl
import time
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from pipeline.functions.webhook_sender.request import Limits, post
from pipeline.webhooks.addresses import Address
from pipeline.webhooks.errors import ReceiverUnavailable
from tests.receivers import Receiver, Reply, receiver, status

HERE = ["127.0.0.1"]
SOON = Limits(connect_s=0.5, total_s=0.5)


def at(found: Receiver, *, tls: bool = False) -> Address:
    return Address("receiver.example", found.port, "/hooks?a=b", tls=tls)


def test_the_message_arrives_as_it_was_signed() -> None:
    with receiver() as found:
        answer = post(at(found), HERE, b'{"a":1}', {"webhook-id": "msg_1"})

    (received,) = found.received
    assert answer.status == 204
    assert (received.path, received.body) == ("/hooks?a=b", b'{"a":1}')
    assert received.headers["host"] == f"receiver.example:{found.port}"
    assert received.headers["content-type"] == "application/json"
    assert received.headers["webhook-id"] == "msg_1"


@pytest.mark.parametrize("code", [301, 302, 303, 307, 308])
def test_a_redirect_is_an_answer_and_not_followed(code: int) -> None:
    with receiver() as elsewhere, receiver(status(code, Location=elsewhere.url)) as found:
        answer = post(at(found), HERE, b"{}", {})

    assert answer.status == code
    assert elsewhere.received == []


def test_proxies_of_the_environment_are_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    with receiver() as proxy, receiver() as found:
        for name in ("http_proxy", "https_proxy", "all_proxy"):
            monkeypatch.setenv(name, f"http://127.0.0.1:{proxy.port}")
        post(at(found), HERE, b"{}", {})

    assert (len(found.received), proxy.received) == (1, [])


def silent(_request: BaseHTTPRequestHandler) -> None:
    time.sleep(3)


def dripping(request: BaseHTTPRequestHandler) -> None:
    """Send a byte at a time: no single read of a client takes long."""
    for _ in range(30):
        request.wfile.write(b"x")
        time.sleep(0.1)


@pytest.mark.parametrize("reply", [silent, dripping])
def test_a_slow_receiver_is_given_up_in_time(reply: Reply) -> None:
    with receiver(reply) as found:
        started = time.monotonic()
        with pytest.raises(ReceiverUnavailable, match=r"no answer within 0\.5 seconds"):
            post(at(found), HERE, b"{}", {}, SOON)
        took = time.monotonic() - started

    assert took < 2


def endless(code: int) -> Reply:
    def reply(request: BaseHTTPRequestHandler) -> None:
        request.send_response(code)
        request.end_headers()
        for _ in range(100_000):
            request.wfile.write(b"x" * 65_536)

    return reply


def test_an_endless_answer_is_not_read_to_its_end() -> None:
    with receiver(endless(200), endless(500)) as found:
        accepted = post(at(found), HERE, b"{}", {})
        refused = post(at(found), HERE, b"{}", {})

    assert (accepted.status, accepted.excerpt) == (200, "")
    assert (refused.status, refused.excerpt) == (500, "x" * 200)


def test_the_reason_of_a_refusal_is_one_line_of_text() -> None:
    with receiver(status(400, b"no\x1b[31m such\r\n\x00hook\xff")) as found:
        answer = post(at(found), HERE, b"{}", {})

    assert answer.excerpt == "no [31m such hook\N{REPLACEMENT CHARACTER}"


def nonsense(request: BaseHTTPRequestHandler) -> None:
    request.wfile.write(b"what?\r\n\r\n")


def closing(request: BaseHTTPRequestHandler) -> None:
    request.close_connection = True


@pytest.mark.parametrize("reply", [nonsense, closing])
def test_what_is_no_answer_is_tried_again(reply: Reply) -> None:
    with receiver(reply) as found, pytest.raises(ReceiverUnavailable):
        post(at(found), HERE, b"{}", {})


def test_the_next_address_is_tried_where_one_refuses_connections() -> None:
    with receiver() as found:
        assert post(at(found), ["127.0.0.9", *HERE], b"{}", {}).status == 204
    with pytest.raises(ReceiverUnavailable, match="no connection"):
        post(at(found), HERE, b"{}", {})


def test_the_certificate_is_checked_for_the_host_name(tmp_path: Path) -> None:
    server, trusted = certificate(tmp_path, "receiver.example")
    with receiver(tls=server) as found:
        assert post(at(found, tls=True), HERE, b"{}", {}, Limits(tls=trusted)).status == 204
        assert found.received[0].headers["host"] == f"receiver.example:{found.port}"
        other = Address("other.example", found.port, "/")
        with pytest.raises(ReceiverUnavailable, match="certificate"):
            post(other, HERE, b"{}", {}, Limits(tls=trusted))
        with pytest.raises(ReceiverUnavailable, match="certificate"):
            post(at(found, tls=True), HERE, b"{}", {})

    assert len(found.received) == 1


def certificate(folder: Path, host: str) -> tuple[ssl.SSLContext, ssl.SSLContext]:
    """Return a server's context with a new certificate, and a client's that trusts it."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, host)])
    now = dt.datetime.now(dt.UTC)
    signed = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(host)]), critical=False)
        .sign(key, hashes.SHA256())
    )
    path = folder / "receiver.pem"
    private = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    path.write_bytes(private + signed.public_bytes(serialization.Encoding.PEM))
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(path)
    return server, ssl.create_default_context(cafile=str(path))

"""A run uses a cloud only if this user alone can have started it, and if it answers as one."""

from __future__ import annotations

import contextlib
import os
import socket
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from unittest.mock import Mock

import pytest

from pipeline.local.own_folder import OwnFolder
from pipeline.session import running_cloud
from pipeline.session.run_messages import SOCKET, Greeting, MediaEnded, RunModels, RunRequest
from pipeline.session.running_cloud import (
    CloudStopped,
    RunningCloud,
    Unusable,
    attached,
    find_clouds,
)

REQUEST = RunRequest({"sources": "1"}, None, ["cutout"])
GREETING = Greeting("http://127.0.0.1:1", "/scratch", "run-1/", None)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Return an own folder, in a folder for temporary files that no other process uses."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    with OwnFolder() as name:
        yield Path(name)


@contextmanager
def answering(path: Path, *lines: bytes) -> Iterator[list[bytes]]:
    """Answer each connection to a socket with these lines; provide what was received."""
    body = b"".join(lines)
    head = f"HTTP/1.1 200 OK\r\nContent-Length: {len(body)}\r\n\r\n".encode()
    with sending(path, head + body if lines else b"") as received:
        yield received


@contextmanager
def sending(path: Path, answer: bytes) -> Iterator[list[bytes]]:
    """Send these bytes to each connection to a socket; provide what was received."""
    received: list[bytes] = []
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(path))
        listening.listen()

        def serve() -> None:
            while True:
                try:
                    connection, _ = listening.accept()
                except OSError:
                    return
                with connection, contextlib.suppress(ConnectionError):
                    received.append(connection.recv(2**16))
                    connection.sendall(answer)

        thread = threading.Thread(target=serve)
        thread.start()
        try:
            yield received
        finally:
            listening.shutdown(socket.SHUT_RDWR)
            thread.join()


def unusable(address: Path) -> str:
    """Return why a run cannot use what answers there."""
    with pytest.raises(Unusable) as raised, attached(address, REQUEST):
        pass
    return str(raised.value)


def test_a_cloud_that_is_up_is_found_and_offers_its_models(folder: Path) -> None:
    with answering(folder / SOCKET, GREETING.line, RunModels(("net (why)",)).line):
        assert find_clouds() == [folder / SOCKET]
        with attached(folder / SOCKET, REQUEST) as cloud:
            assert list(cloud.models.models or ()) == ["net (why)"]


@pytest.mark.parametrize("mode", [0o777, 0o750, 0o705])
def test_nothing_is_sent_to_a_socket_that_others_could_have_put_there(
    folder: Path, mode: int
) -> None:
    folder.chmod(mode)
    with answering(folder / SOCKET, GREETING.line, RunModels(()).line) as received:
        assert unusable(folder / SOCKET) == ""

    assert received in ([], [b""])


def test_a_folder_of_another_user_is_not_used(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: folder.stat().st_uid + 1)
    with answering(folder / SOCKET, GREETING.line, RunModels(()).line) as received:
        assert unusable(folder / SOCKET) == ""

    assert received in ([], [b""])


def test_a_socket_in_a_folder_open_to_others_is_not_waited_for(folder: Path) -> None:
    (folder / SOCKET).touch()
    folder.chmod(0o777)

    assert find_clouds() == []


def test_a_link_to_a_private_folder_is_not_followed(folder: Path) -> None:
    link = folder.with_name("matteline-link")
    link.symlink_to(folder)
    with answering(folder / SOCKET, GREETING.line, RunModels(()).line) as received:
        assert unusable(link / SOCKET) == ""

    assert received in ([], [b""])


def test_a_socket_that_a_killed_process_left_is_passed_over(folder: Path) -> None:
    with answering(folder / SOCKET):
        pass

    assert unusable(folder / SOCKET) == ""


@pytest.mark.parametrize(
    "lines",
    [
        pytest.param((b"hello\n",), id="not JSON"),
        pytest.param((b"[1]\n",), id="not an object"),
        pytest.param((b'{"endpoint": "x"}\n',), id="another version"),
        pytest.param((GREETING.line,), id="no models"),
        pytest.param((GREETING.line, RunModels(None).line), id="not this model"),
        pytest.param((), id="closed at once"),
    ],
)
def test_another_answer_is_no_cloud(folder: Path, lines: tuple[bytes, ...]) -> None:
    with answering(folder / SOCKET, *lines):
        assert unusable(folder / SOCKET) == ""


def test_a_suspended_cloud_is_given_up(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(running_cloud, "_GREETING_S", 0.05)
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(folder / SOCKET))
        listening.listen()
        assert unusable(folder / SOCKET) == ""


def test_what_fails_later_is_no_reason_to_pass_a_cloud_over(folder: Path) -> None:
    def fail() -> None:
        raise ValueError("of the block")

    with (
        answering(folder / SOCKET, GREETING.line, RunModels(()).line),
        pytest.raises(ValueError, match="of the block"),
        attached(folder / SOCKET, REQUEST),
    ):
        fail()


@pytest.mark.parametrize("length", [b"Content-Length: 9", b"Transfer-Encoding: chunked"])
def test_a_result_that_was_cut_off_is_no_result(
    folder: Path, tmp_path: Path, length: bytes
) -> None:
    cut_off = b"HTTP/1.1 200 OK\r\n" + length + b"\r\n\r\n9\r\nhalf"

    with sending(folder / SOCKET, cut_off), pytest.raises(CloudStopped):
        joined(folder).fetch("s3://bucket/key", tmp_path / "key")


def test_a_refusal_that_was_cut_off_is_the_end_of_the_cloud(folder: Path, tmp_path: Path) -> None:
    cut_off = b"HTTP/1.1 404 NOT FOUND\r\nContent-Length: 99\r\n\r\n<Code>NoSu"

    with sending(folder / SOCKET, cut_off), pytest.raises(CloudStopped):
        joined(folder).fetch("s3://bucket/key", tmp_path / "key")


@pytest.mark.parametrize("chunked", [True, False])
def test_an_end_that_was_cut_off_is_the_end_of_the_cloud(
    folder: Path,
    chunked: bool,  # noqa: FBT001 - parametrised
) -> None:
    body = GREETING.line + RunModels(()).line + MediaEnded("key", "DONE").line + b'{"key": "oth'
    length = b"Transfer-Encoding: chunked" if chunked else b"Content-Length: 9999"
    start = b"%x\r\n" % (len(body) + 9) if chunked else b""

    with (
        sending(folder / SOCKET, b"HTTP/1.1 200 OK\r\n" + length + b"\r\n\r\n" + start + body),
        attached(folder / SOCKET, REQUEST) as cloud,
    ):
        assert [each.key for each in cloud.told()] == ["key"]


def joined(folder: Path) -> RunningCloud:
    return RunningCloud(folder / SOCKET, GREETING, RunModels(()), Mock())

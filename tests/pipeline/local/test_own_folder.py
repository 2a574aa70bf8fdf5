"""Temporary folders are removed with their process, however it ended; other folders stay."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from pipeline.local.own_folder import OwnFolder, socket_address
from tests.conftest import ROOT

HOLD = """
import sys
from pipeline.local.own_folder import OwnFolder, socket_address
folder = OwnFolder()
(folder.path / "files").mkdir()
(folder.path / "files" / "photo").write_bytes(b"somebody's")
print(folder.name, flush=True)
sys.stdin.read()
"""


@pytest.fixture
def below(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return tmp_path


@pytest.fixture
def holder(below: Path) -> Iterator[subprocess.Popen[str]]:  # noqa: ARG001 - where it is
    with subprocess.Popen(
        [sys.executable, "-c", HOLD],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        yield process


def folder_of(holder: subprocess.Popen[str]) -> Path:
    assert holder.stdout
    return Path(holder.stdout.readline().strip())


def test_only_its_user_can_enter_it(below: Path) -> None:
    with OwnFolder() as name:
        assert Path(name).parent == below
        assert Path(name).stat().st_mode & 0o777 == 0o700
    assert list(below.iterdir()) == []


def test_the_folder_of_a_killed_process_is_removed_at_the_next_start(
    holder: subprocess.Popen[str], below: Path
) -> None:
    left = folder_of(holder)
    holder.send_signal(signal.SIGKILL)
    holder.wait()
    assert (left / "files" / "photo").exists()

    with OwnFolder() as name:
        assert [str(path) for path in below.iterdir()] == [name]


def test_the_folder_of_a_living_process_stays(holder: subprocess.Popen[str]) -> None:
    living = folder_of(holder)

    with OwnFolder(), OwnFolder():
        assert (living / "files" / "photo").exists()


def test_the_folder_of_another_user_stays(below: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    left = below / "matteline-another"
    left.mkdir()
    (left / "held").touch()
    monkeypatch.setattr(os, "geteuid", lambda: left.stat().st_uid + 1)

    with OwnFolder():
        assert left.exists()


def test_nothing_is_removed_through_a_link(
    below: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    (elsewhere / "held").touch()
    (below / "matteline-link").symlink_to(elsewhere)

    with OwnFolder():
        assert (elsewhere / "held").exists()


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux has another name for the file")
def test_a_socket_may_have_a_path_that_is_too_long_for_an_address(tmp_path: Path) -> None:
    path = tmp_path / ("long" * 25) / "socket"
    path.parent.mkdir()
    with socket.socket(socket.AF_UNIX) as server, socket.socket(socket.AF_UNIX) as client:
        with socket_address(path) as address:
            server.bind(address)
        server.listen()
        with socket_address(path) as address:
            client.connect(address)
        server.accept()[0].close()

    assert path.is_socket()

"""What comes in is on the disk, hashed and on its way to the store, or nowhere."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import NamedTuple

import pytest

from pipeline.errors import OutOfStorage
from tests.containers.model_downloader.desks import CONTENT, MD5, PLACE, SHA256, Desk, wanted
from tests.containers.model_downloader.server import Web


class Usage(NamedTuple):
    total: int
    used: int
    free: int


def full(_: Path) -> Usage:
    return Usage(10**9, 10**9 - 1000, 1000)


def test_a_file_is_hashed_both_ways_publishers_do(desk: Desk) -> None:
    intake = desk.intake()
    intake.restart()
    intake.take(CONTENT[:5])
    intake.take(CONTENT[5:])

    assert intake.checksums == {"md5": MD5, "sha256": SHA256}
    assert intake.received == len(CONTENT)


def test_a_new_start_forgets_everything(desk: Desk) -> None:
    intake = desk.intake()
    intake.restart()
    intake.take(b"something else")
    intake.restart()
    intake.take(CONTENT)
    intake.publish()

    assert intake.checksums["sha256"] == SHA256
    assert desk.target.read_bytes() == CONTENT
    assert desk.store.read(PLACE) == CONTENT
    assert len([path for path in desk.store.root.rglob("*") if path.is_file()]) == 1


def test_nothing_is_in_the_store_before_it_is_published(desk: Desk) -> None:
    intake = desk.intake()
    intake.restart()
    intake.take(CONTENT)

    with pytest.raises(KeyError):
        desk.store.read(PLACE)
    intake.abandon()
    assert [path for path in desk.store.root.rglob("*") if path.is_file()] == []


@pytest.mark.parametrize("announced", ["by the source", "by the catalogue"])
def test_a_file_with_no_room_is_refused_before_it_comes(
    web: Web, desk: Desk, monkeypatch: pytest.MonkeyPatch, announced: str
) -> None:
    monkeypatch.setattr(shutil, "disk_usage", full)
    said = announced == "by the catalogue"
    url = web.put("/w", CONTENT, says_length=not said)

    with pytest.raises(OutOfStorage, match="target needs 2,304,000 bytes of disk; 1,000 are free"):
        desk.fetch(wanted(url, size=len(CONTENT) if said else None))
    assert desk.target.read_bytes() == b""


@pytest.mark.parametrize("size", [None, len(CONTENT)])
def test_a_disk_that_fills_up_has_a_name(desk: Desk, size: int | None) -> None:
    desk.target.symlink_to("/dev/full")
    intake = desk.intake(size=size)
    intake.restart()

    needed = "2,304,000" if size else "more than 0"
    with pytest.raises(OutOfStorage, match=f"target needs {needed} bytes of disk; [0-9,]+ are"):
        intake.take(CONTENT)


def test_a_full_disk_is_not_blamed_on_the_source(web: Web, desk: Desk) -> None:
    desk.target.symlink_to("/dev/full")
    urls = [web.put("/1", CONTENT), web.put("/2", CONTENT)]

    with pytest.raises(OutOfStorage):
        desk.fetch(wanted(*urls))
    assert web.asked == ["/1"]

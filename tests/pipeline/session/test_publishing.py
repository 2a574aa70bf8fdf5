"""A photo's files are written together, and never over a file of the user's."""

from __future__ import annotations

import errno
import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from pipeline.declared.products import load_products
from pipeline.session.own_files import OwnFiles, Writer, records_in, stem_of
from pipeline.session.publishing import publish
from tests.conftest import ROOT
from tests.disk import full_disk
from tests.pipeline.session.records import record_of

Contents = dict[str, bytes]
PNG, WEBP, MASK = "_bg_removed.png", "_bg_removed.webp", "_mask.png"
RECORD = "cat_bg_removed.json"


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    (tmp_path / "cat.jpg").write_bytes(b"photo")
    return tmp_path / "cat.jpg"


@pytest.fixture
def output(tmp_path: Path) -> Path:
    return tmp_path / "out"


def writing(content: bytes) -> Callable[[Path], None]:
    def write(path: Path) -> None:
        path.write_bytes(content)

    return write


def put(output: Path, photo: Path, *, job: str = "0" * 32, **made: bytes) -> None:
    pictures = {f"_{suffix.replace('__', '.')}": content for suffix, content in made.items()}
    record = record_of(photo, pictures, job=job)
    files = {output / f"cat{suffix}": writing(content) for suffix, content in pictures.items()}
    publish(files | {output / RECORD: writing(record)}, record=output / RECORD)


def contents(folder: Path) -> Contents:
    """Return every file, hidden ones too; of records the name of the job only."""
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.suffix != ".json"}


def records(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.glob("*.json"))


def test_a_products_record_is_recognised_by_its_name() -> None:
    for product in load_products(ROOT):
        assert stem_of(Path(f"out/cat{product.record}")) == "cat"


def test_a_second_run_replaces_the_first(output: Path, photo: Path) -> None:
    put(output, photo, bg_removed__png=b"first", mask__png=b"mask")
    put(output, photo, bg_removed__png=b"second", mask__png=b"mask")

    assert contents(output) == {"cat_bg_removed.png": b"second", "cat_mask.png": b"mask"}
    assert records(output) == [RECORD]


def test_files_get_the_usual_permissions(output: Path, photo: Path) -> None:
    put(output, photo, bg_removed__png=b"first")
    (output / "usual").touch()

    modes = {path.stat().st_mode for path in output.iterdir()}

    assert len(modes) == 1


def test_images_that_a_later_run_does_not_make_keep_a_record(output: Path, photo: Path) -> None:
    put(output, photo, job="a" * 32, bg_removed__png=b"png", mask__png=b"mask")
    put(output, photo, job="b" * 32, bg_removed__webp=b"webp")

    own = OwnFiles.of(records_in([output]))
    assert {own.writer(path) for path in output.iterdir()} == {Writer.MATTELINE}
    assert records(output) == ["cat_bg_removed.aaaaaaaa.json", RECORD]

    put(output, photo, job="c" * 32, bg_removed__png=b"crop", mask__png=b"cropped")

    own = OwnFiles.of(records_in([output]))
    assert {own.writer(path) for path in output.iterdir()} == {Writer.MATTELINE}
    assert records(output) == ["cat_bg_removed.bbbbbbbb.json", RECORD]
    assert contents(output)["cat_bg_removed.png"] == b"crop"


@pytest.mark.parametrize("name", ["cat_bg_removed.png", RECORD])
def test_a_file_of_the_users_is_not_replaced(output: Path, photo: Path, name: str) -> None:
    output.mkdir()
    (output / name).write_bytes(b"mine")

    with pytest.raises(FileExistsError, match="not written by Matteline") as refusal:
        put(output, photo, bg_removed__png=b"ours")

    assert refusal.value.filename == str(output / name)
    assert {path.name: path.read_bytes() for path in output.iterdir()} == {name: b"mine"}


@pytest.mark.parametrize("occupy", [Path.mkdir, os.mkfifo, lambda path: path.symlink_to("no")])
def test_what_is_no_file_is_not_replaced(
    output: Path, photo: Path, occupy: Callable[[Path], object]
) -> None:
    output.mkdir()
    occupy(output / "cat_bg_removed.png")

    with pytest.raises(FileExistsError):
        put(output, photo, bg_removed__png=b"ours")


def test_if_one_name_is_too_long_nothing_is_published(output: Path) -> None:
    stem = "a" * 240
    files = {output / f"{stem}{suffix}": writing(b"1") for suffix in (PNG, "_bg_removed.json")}

    with pytest.raises(OSError, match="File name too long"):
        publish(files, record=output / f"{stem}_bg_removed.json")

    assert list(output.iterdir()) == []


def test_a_result_that_was_edited_is_not_replaced(output: Path, photo: Path) -> None:
    put(output, photo, bg_removed__png=b"first")
    (output / "cat_bg_removed.png").write_bytes(b"retouched")

    with pytest.raises(FileExistsError, match="edited since"):
        put(output, photo, bg_removed__png=b"second")
    put(output, photo, bg_removed__webp=b"webp")
    with pytest.raises(FileExistsError, match="edited since"):
        put(output, photo, bg_removed__png=b"second")

    assert contents(output)["cat_bg_removed.png"] == b"retouched"


def test_a_deleted_record_is_written_again_next_to_the_same_image(
    output: Path, photo: Path
) -> None:
    put(output, photo, bg_removed__png=b"same")
    (output / RECORD).unlink()

    put(output, photo, bg_removed__png=b"same")

    assert records(output) == [RECORD]


def test_if_the_disk_is_full_nothing_is_half_written_and_earlier_results_stay(
    output: Path, photo: Path
) -> None:
    put(output, photo, bg_removed__png=b"first", mask__png=b"mask")
    before = {path.name: path.read_bytes() for path in output.iterdir()}

    with full_disk(most=1000), pytest.raises(OSError, match="File too large") as full:
        put(output, photo, bg_removed__png=b"second", mask__png=bytes(2000))

    assert full.value.filename == str(output / "cat_mask.png")
    assert {path.name: path.read_bytes() for path in output.iterdir()} == before


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can mount a small disk")
def test_a_small_disk_that_fills_up_keeps_what_it_has(output: Path, photo: Path) -> None:
    output.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=200k", "none", output], check=False
    )
    if mounted.returncode:
        pytest.skip("mounting is not permitted here")
    try:
        put(output, photo, bg_removed__png=b"1" * 50_000)
        with pytest.raises(OSError, match="No space left") as full:
            put(output, photo, bg_removed__png=b"2" * 250_000)
        kept = contents(output)
    finally:
        subprocess.run(["umount", output], check=True)

    assert full.value.errno == errno.ENOSPC
    assert kept == {"cat_bg_removed.png": b"1" * 50_000}

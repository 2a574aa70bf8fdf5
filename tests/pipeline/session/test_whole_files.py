"""A file is written whole, or the earlier one stays."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.errors import InvalidOptions
from pipeline.session.own_model import append_row
from pipeline.session.whole_files import is_full, reason_of, whole_file
from tests.disk import full_disk

ROW = "[[models]]\n"


def test_a_file_and_its_folders_appear_when_the_block_ends(tmp_path: Path) -> None:
    target = tmp_path / "new" / "folder" / "file"

    with whole_file(target) as partial:
        partial.write_bytes(b"content")
        there = target.exists()

    assert not there
    assert target.read_bytes() == b"content"
    assert list(target.parent.iterdir()) == [target]


def test_the_earlier_file_stays_if_the_new_one_does_not_fit(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"before")

    with (
        full_disk(most=1000),
        pytest.raises(OSError, match="too large") as full,
        whole_file(tmp_path / "file") as partial,
    ):
        partial.write_bytes(bytes(2000))

    assert is_full(full.value)
    assert reason_of(full.value) == f"{tmp_path / 'file'}: File too large"
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == {"file": b"before"}


def test_a_link_and_permissions_are_kept(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"before")
    (tmp_path / "file").chmod(0o640)
    (tmp_path / "link").symlink_to("file")

    with whole_file(tmp_path / "link") as partial:
        partial.write_bytes(b"after")

    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "file").read_bytes() == b"after"
    assert (tmp_path / "file").stat().st_mode & 0o777 == 0o640


def test_a_name_as_long_as_names_can_be_is_written(tmp_path: Path) -> None:
    with whole_file(tmp_path / ("x" * 255)) as partial:
        partial.write_bytes(b"")

    assert (tmp_path / ("x" * 255)).exists()


def test_a_catalogue_on_a_full_disk_keeps_its_rows(tmp_path: Path) -> None:
    catalogue = tmp_path / "models.toml"
    append_row(catalogue, ROW)
    append_row(catalogue, ROW)

    with full_disk(most=1000), pytest.raises(OSError, match="too large"):
        append_row(catalogue, "#" * 2000)

    assert catalogue.read_text() == ROW * 2


@pytest.mark.parametrize("place", ["/dev/null", "file/models.toml"])
def test_a_catalogue_that_cannot_be_written_is_named(tmp_path: Path, place: str) -> None:
    (tmp_path / "file").touch()

    with pytest.raises(InvalidOptions, match="cannot write") as refusal:
        append_row(tmp_path / place, ROW)

    assert place in refusal.value.message

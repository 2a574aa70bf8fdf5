"""Records are read only if they can be Matteline's, and point to files next to them only."""

from __future__ import annotations

from pathlib import Path

from pipeline.session.own_files import OwnFiles, Writer, content_of, read_record
from tests.pipeline.session.records import leave, record_of


def test_a_record_says_which_files_next_to_it_were_written(tmp_path: Path) -> None:
    record = leave(tmp_path, "cat", Path("cat.jpg"), bg_removed__png=b"cutout")
    read = read_record(record)
    assert read is not None
    cutout = tmp_path / "cat_bg_removed.png"

    assert read.places(tmp_path, "cat") == {cutout: content_of(cutout)}
    own = OwnFiles.of({record: read})
    assert [own.writer(path) for path in (record, cutout)] == [Writer.MATTELINE] * 2


def test_a_record_does_not_claim_files_of_other_folders(tmp_path: Path) -> None:
    record = tmp_path / "cat_bg_removed.json"
    record.write_bytes(record_of(Path("cat.jpg"), {"/../../dog.png": b"dog", "_mask.png": b"mask"}))

    read = read_record(record)

    assert read is not None
    assert [path.name for path in read.places(tmp_path, "cat")] == ["cat_mask.png"]


def test_a_file_too_long_for_a_record_is_none(tmp_path: Path) -> None:
    record = tmp_path / "cat_bg_removed.json"
    content = record_of(Path("cat.jpg"), {"_bg_removed.png": b"cutout"})

    record.write_bytes(content.ljust(2**20))
    assert read_record(record) is not None
    record.write_bytes(content.ljust(2**20 + 1))
    assert read_record(record) is None

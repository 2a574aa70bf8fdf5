"""An upload's id says when it was made and for whom, and nobody else's id is one."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from pipeline.operations.uploading import LASTS, Upload, new_upload, read_upload

NOW = datetime(2026, 10, 3, 12, 0, tzinfo=UTC)


@pytest.fixture
def upload() -> Upload:
    return new_upload("ada/", NOW)


def test_an_id_is_read_as_it_was_made(upload: Upload) -> None:
    assert read_upload(upload.id, "ada/") == upload
    assert upload.expires_at == NOW + LASTS
    assert upload.folder == f"ada/{upload.id}/"


def test_an_id_that_was_made_for_somebody_else_is_none(upload: Upload) -> None:
    assert read_upload(upload.id, "bob/") is None


def test_an_id_with_another_character_is_none(upload: Upload) -> None:
    for place, character in enumerate(upload.id):
        other = "1" if character == "0" else "0"
        assert read_upload(upload.id[:place] + other + upload.id[place + 1 :], "ada/") is None


@pytest.mark.parametrize("text", ["", "x", "0" * 32, "0" * 31, "w" * 32, "é" * 32, "../" * 12])
def test_any_other_text_is_none(text: str) -> None:
    assert read_upload(text, "ada/") is None


def test_an_id_is_written_in_one_way_only(upload: Upload) -> None:
    assert read_upload(upload.id.upper(), "ada/") is None or upload.id.isdecimal()
    assert read_upload(f"{upload.id}\n", "ada/") is None


def test_ids_sort_by_the_time_they_were_made() -> None:
    moments = [NOW + timedelta(days=days, seconds=days) for days in range(0, 4000, 97)]
    ids = [new_upload("ada/", moment).id for moment in moments]

    assert ids == sorted(ids)


def test_two_uploads_of_one_moment_differ() -> None:
    assert len({new_upload("ada/", NOW).id for _ in range(1000)}) == 1000

"""A batch collects the files of its folders and gives each a distinct output name."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.session.batch import collect

TREE = ("cat.png", "cat.webp", "dog.jpg", "trip/sea.jpg", ".hidden/x.jpg", ".DS_Store", "out/a.png")


@pytest.fixture
def album(tmp_path: Path) -> Path:
    for name in TREE:
        path = tmp_path / "album" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"")
    return tmp_path / "album"


@pytest.mark.parametrize(
    ("output", "names"),
    [
        ("out", ["cat.png", "cat.webp", "dog", "trip/sea"]),
        ("elsewhere", ["cat.png", "cat.webp", "dog", "out/a", "trip/sea"]),
        (".", ["cat.png", "cat.webp", "dog", "out/a", "trip/sea"]),
        ("..", ["cat.png", "cat.webp", "dog", "out/a", "trip/sea"]),
    ],
)
def test_a_folder_yields_every_visible_file_outside_the_output_folder(
    album: Path, output: str, names: list[str]
) -> None:
    assert sorted(photo.name for photo in collect([album], output=album / output)) == names


def test_files_with_the_same_name_get_distinct_outputs(album: Path) -> None:
    twins = [album / "dog.jpg", album / "trip" / "sea.jpg", album / "dog.jpg"]

    names = [photo.name for photo in collect(twins, output=album / "out")]

    assert names == ["dog.jpg", "sea", "dog.jpg-2"]

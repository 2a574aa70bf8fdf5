"""Photos of one name get outputs of their own, the same ones in every run."""

from __future__ import annotations

import itertools
import re
from pathlib import Path

import pytest

from pipeline.session.collecting import collect
from tests.pictures import png, square
from tests.pipeline.session.records import leave

PHOTO = png(square())


def photos_at(root: Path, *names: str) -> list[Path]:
    """Write photos with different bytes."""
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(PHOTO + name.encode("utf-8", "surrogateescape"))
    return [root / name for name in names]


def named(output: Path, *arguments: Path, root: Path) -> dict[str, str]:
    """Return the name of each photo, by its path."""
    found = collect(arguments, output=output)
    return {str(photo.path.relative_to(root)): photo.name for photo in found.files}


def cut_out(output: Path, *arguments: Path) -> None:
    """Leave the outputs that a run would leave."""
    for photo in collect(arguments, output=output).files:
        leave(output, photo.name, photo.path, bg_removed__png=photo.path.read_bytes() + b"c")


def test_a_name_alone_is_short(tmp_path: Path) -> None:
    photos_at(tmp_path, "a/cat.jpg", "a/trip/dog.x.png", "a/bird")

    names = named(tmp_path / "out", tmp_path / "a", root=tmp_path)

    assert names == {"a/cat.jpg": "cat", "a/trip/dog.x.png": "trip/dog.x", "a/bird": "bird"}


@pytest.mark.parametrize(
    "stem", ["a" * 250, "a" * 231, "\u00e9" * 120, "\U0001f431" * 62],
    ids=["very long", "long", "two bytes", "four bytes"],
)  # fmt: skip
def test_a_name_that_is_too_long_for_its_endings_is_shortened(tmp_path: Path, stem: str) -> None:
    album, output = tmp_path / "a", tmp_path / "out"
    photos_at(album, f"{stem}.jpg", f"{stem}.png", f"trip/{stem}.gif")

    names = named(output, album, root=album)
    cut_out(output, album)

    assert len(set(names.values())) == 3
    for name in names.values():
        longest = Path(f"{name}_bg_removed.01234567.json").name.encode()
        assert 240 < len(longest) <= 255
    assert named(output, album, root=album) == names
    assert named(output, album / f"{stem}.png", root=album).items() <= names.items()


def test_files_that_differ_in_their_suffix_keep_it(tmp_path: Path) -> None:
    photos_at(tmp_path, "a/cat.jpg", "a/cat.png")

    names = named(tmp_path / "out", tmp_path / "a", root=tmp_path)

    assert names == {"a/cat.jpg": "cat.jpg", "a/cat.png": "cat.png"}


def test_files_of_one_name_in_two_folders_are_named_after_the_folders(tmp_path: Path) -> None:
    photos_at(tmp_path, "2023/cat.jpg", "2024/cat.jpg", ".2025/dog.jpg", "2024/dog.jpg")
    folders = [tmp_path / name for name in ("2023", "2024", ".2025")]

    assert named(tmp_path / "out", *folders, root=tmp_path) == {
        "2023/cat.jpg": "2023/cat",
        "2024/cat.jpg": "2024/cat",
        ".2025/dog.jpg": "2025/dog",
        "2024/dog.jpg": "2024/dog",
    }


@pytest.mark.parametrize(
    "twins",
    [("cat.jpg", "CAT.jpg"), ("caf\u00e9.jpg", "cafe\u0301.jpg"), ("Straße.jpg", "STRASSE.JPG")],
    ids=["case", "NFC and NFD", "both"],
)
def test_names_that_some_disks_take_for_one_are_told_apart(
    tmp_path: Path, twins: tuple[str, str]
) -> None:
    photos_at(tmp_path, *twins)

    names = named(tmp_path / "out", *(tmp_path / name for name in twins), root=tmp_path)

    assert all(re.fullmatch(r".+~[0-9a-f]{8}", name) for name in names.values())
    assert len({name.casefold() for name in names.values()}) == 2


def test_folders_of_one_name_are_told_apart(tmp_path: Path) -> None:
    photos_at(tmp_path, "x/pets/cat.jpg", "y/pets/cat.jpg", "z/pets/cat.jpg")

    names = named(tmp_path / "out", *(tmp_path / name / "pets" for name in "xyz"), root=tmp_path)

    assert len(set(names.values())) == 3


ALBUM = ("a/cat.jpg", "a/cat.png", "b/cat.jpg", "b/trip/cat.jpg", "c/CAT.jpg")


@pytest.mark.parametrize("order", [*itertools.permutations("abc")])
def test_a_photo_keeps_its_name_whatever_runs_before_and_after(
    tmp_path: Path, order: tuple[str, ...]
) -> None:
    output = tmp_path / "out"
    photos_at(tmp_path, *ALBUM)
    first: dict[str, str] = {}
    for folder in order:
        first |= named(output, tmp_path / folder, root=tmp_path)
        cut_out(output, tmp_path / folder)

    together = named(output, *(tmp_path / name for name in "abc"), root=tmp_path)
    alone = {
        path: name
        for folder in "abc"
        for path, name in named(output, tmp_path / folder, root=tmp_path).items()
    }

    assert first == together == alone
    assert len({name.casefold() for name in first.values()}) == len(ALBUM)


def test_a_photo_that_was_edited_keeps_its_name(tmp_path: Path) -> None:
    output, (cat, _) = tmp_path / "out", photos_at(tmp_path, "a/cat.jpg", "b/cat.jpg")
    cut_out(output, tmp_path / "a")
    cat.write_bytes(PHOTO + b"brighter")

    names = named(output, tmp_path / "b", tmp_path / "a", root=tmp_path)

    assert names == {"a/cat.jpg": "cat", "b/cat.jpg": "cat.jpg"}


def test_a_folder_that_was_moved_keeps_its_names(tmp_path: Path) -> None:
    output, _ = tmp_path / "out", photos_at(tmp_path, "a/cat.jpg")
    cut_out(output, tmp_path / "a")
    (tmp_path / "a").rename(tmp_path / "moved")

    assert named(output, tmp_path / "moved", root=tmp_path) == {"moved/cat.jpg": "cat"}


def test_copies_of_one_photo_are_photos_of_their_own(tmp_path: Path) -> None:
    for photo in photos_at(tmp_path, "a/cat.jpg", "b/cat.jpg"):
        photo.write_bytes(PHOTO)
    cut_out(tmp_path / "out", tmp_path / "a")

    names = named(tmp_path / "out", tmp_path / "b", tmp_path / "a", root=tmp_path)

    assert names == {"a/cat.jpg": "cat", "b/cat.jpg": "cat.jpg"}


def test_a_link_and_a_detour_do_not_change_a_name(tmp_path: Path) -> None:
    photos_at(tmp_path, "a/cat.jpg", "b/cat.jpg")
    cut_out(tmp_path / "out", tmp_path / "a", tmp_path / "b")
    (tmp_path / "link").symlink_to("a")

    found = collect([tmp_path / "b" / ".." / "link" / "cat.jpg"], output=tmp_path / "out")

    assert [photo.name for photo in found.files] in (["cat"], ["a/cat"])

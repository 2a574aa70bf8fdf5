"""A contact sheet has pages of bounded size, drawn while the batch runs."""

from __future__ import annotations

import errno
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from pipeline.cli.contact_sheet import ContactSheet
from pipeline.photo.colour.spaces import from_code_points
from pipeline.photo.encoding import encode
from pipeline.session.batch import MediaFile, Outcome
from pipeline.session.media import PHOTO
from tests.pictures import square, unpng

BLUE, RED = (0, 0, 255), (255, 0, 0)


def plain(colour: tuple[int, int, int], *, alpha: int = 255) -> bytes:
    pixels = np.full((40, 60, 4), (*colour, alpha), np.uint8)
    return encode(pixels if alpha < 255 else pixels[..., :3], picture_format="png")


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    (tmp_path / "photo.png").write_bytes(plain(BLUE))
    return tmp_path / "photo.png"


@pytest.fixture
def output(tmp_path: Path) -> Path:
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "cutout.png").write_bytes(plain(RED))
    return tmp_path / "out"


def photos(count: int, path: Path) -> list[MediaFile]:
    return [MediaFile(path, f"{number}", PHOTO) for number in range(count)]


def done(photo: MediaFile, output: Path) -> Outcome:
    return Outcome(photo, "DONE", "net", shown=output / "cutout.png")


def failed(photo: MediaFile) -> Outcome:
    return Outcome(photo, "QUARANTINED", reason="NoSubject")


def pages(output: Path) -> list[str]:
    return sorted(path.name for path in output.glob("contact-sheet*"))


def share(path: Path, colour: tuple[int, int, int]) -> float:
    """Return how many tiles of 300 × 200 pixels the colour fills."""
    return float((unpng(path.read_bytes())[..., :3] == colour).all(axis=2).sum()) / (60 * 40)


def test_a_page_has_each_photo_next_to_its_cutout(photo: Path, output: Path) -> None:
    sheet = ContactSheet(photos(3, photo), output)
    for each in photos(3, photo):
        sheet.add(done(each, output))
    sheet.finish()

    assert (sheet.pages, sheet.troubles) == (["contact-sheet.png"], [])
    page = output / "contact-sheet.png"
    assert share(page, BLUE) == share(page, RED) == pytest.approx(3, abs=0.1)


def test_a_transparent_cutout_is_on_a_checkerboard(photo: Path, output: Path) -> None:
    (output / "cutout.png").write_bytes(plain(RED, alpha=0))
    sheet = ContactSheet(photos(1, photo), output)
    sheet.add(done(photos(1, photo)[0], output))

    assert share(output / "contact-sheet.png", (204, 204, 204)) == pytest.approx(0.5, abs=0.1)


def test_colours_of_a_wide_gamut_are_shown_as_they_look(photo: Path, output: Path) -> None:
    # P3's red is less than full in its own numbers where sRGB's is full.
    p3 = from_code_points(primaries=12, transfer=13)
    assert p3
    pixels = np.full((40, 60, 3), (234, 51, 35), np.uint8)
    photo.write_bytes(encode(pixels, picture_format="png", icc_profile=p3.profile()))
    sheet = ContactSheet(photos(1, photo), output)
    sheet.add(done(photos(1, photo)[0], output))

    middle = unpng((output / "contact-sheet.png").read_bytes())[30, 160, :3].astype(int)
    assert np.abs(middle - RED).max() <= 3


def test_a_page_is_written_as_soon_as_its_photos_ended(photo: Path, output: Path) -> None:
    batch = photos(100, photo)
    sheet = ContactSheet(batch, output)
    for each in [*batch[1:60], *batch[90:]]:
        sheet.add(done(each, output))
    assert pages(output) == []

    sheet.add(failed(batch[0]))
    assert pages(output) == ["contact-sheet-01.png"]

    for each in batch[60:90]:
        sheet.add(done(each, output))
    sheet.finish()

    assert pages(output) == sheet.pages == [f"contact-sheet-0{page}.png" for page in (1, 2, 3)]
    counts = [share(output / name, RED) for name in sheet.pages]
    assert counts == pytest.approx([39, 40, 20], abs=0.3)


def test_photos_that_failed_leave_no_gap_and_no_page(photo: Path, output: Path) -> None:
    batch = photos(41, photo)
    sheet = ContactSheet(batch, output)
    for each in batch[:40]:
        sheet.add(failed(each))
    sheet.add(done(batch[40], output))
    sheet.finish()

    assert pages(output) == ["contact-sheet-02.png"]
    assert unpng((output / "contact-sheet-02.png").read_bytes()).shape[0] < 300


def test_an_interrupted_batch_has_a_sheet_of_what_was_finished(photo: Path, output: Path) -> None:
    batch = photos(3, photo)
    sheet = ContactSheet(batch, output)
    sheet.add(done(batch[1], output))
    sheet.finish()

    assert share(output / "contact-sheet.png", RED) == pytest.approx(1, abs=0.1)


def test_pages_of_an_earlier_batch_are_removed_and_the_users_files_are_not(
    photo: Path, output: Path
) -> None:
    Image.fromarray(square()).save(output / "contact-sheet-07.png")
    (output / "contact-sheet-links.png").mkdir()
    for count in (100, 1):
        batch = photos(count, photo)
        sheet = ContactSheet(batch, output)
        for each in batch:
            sheet.add(done(each, output))
        sheet.finish()

    kept = ["contact-sheet-07.png", "contact-sheet-links.png", "contact-sheet.png"]
    assert pages(output) == kept


def test_a_page_that_cannot_be_removed_is_named(
    photo: Path, output: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for count in (100, 1):
        sheet = ContactSheet(photos(count, photo), output)
        for each in photos(count, photo):
            sheet.add(done(each, output))
        sheet.finish()
        monkeypatch.setattr(Path, "unlink", denied)

    assert sheet.pages == ["contact-sheet.png"]
    assert sheet.troubles == [
        f"An earlier page may be left: {output / f'contact-sheet-0{page}.png'}: Permission denied"
        for page in (1, 2, 3)
    ]


def denied(path: Path, *, missing_ok: bool = False) -> None:
    if path.exists() or not missing_ok:
        raise PermissionError(errno.EACCES, "Permission denied", str(path))


def test_a_file_of_the_users_is_not_replaced(photo: Path, output: Path) -> None:
    (output / "contact-sheet.png").write_bytes(b"mine")
    sheet = ContactSheet(photos(1, photo), output)
    sheet.add(done(photos(1, photo)[0], output))
    sheet.finish()

    assert sheet.pages == []
    place = output / "contact-sheet.png"
    assert sheet.troubles == [f"No contact sheet: {place}: not written by Matteline"]
    assert (output / "contact-sheet.png").read_bytes() == b"mine"


def test_a_photo_that_vanished_leaves_its_tile_empty(photo: Path, output: Path) -> None:
    batch = [
        MediaFile(photo, "there", PHOTO),
        MediaFile(photo.with_name("gone.png"), "gone\n\udcff", PHOTO),
    ]
    sheet = ContactSheet(batch, output)
    for each in batch:
        sheet.add(done(each, output))
    sheet.finish()

    assert share(output / "contact-sheet.png", BLUE) == pytest.approx(1, abs=0.1)
    assert share(output / "contact-sheet.png", RED) == pytest.approx(2, abs=0.1)

"""A batch takes every photo of its folders once, and names every other file."""

from __future__ import annotations

import os
import shutil
import socket
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from pipeline.session import collecting
from pipeline.session.collecting import Collection, collect
from pipeline.session.media import FACES, RECORDING, Kind
from pipeline.session.media import PHOTO as PHOTO_KIND
from pipeline.session.own_files import SHEET_MARK
from tests.pictures import png, square
from tests.pipeline.session.records import leave, leave_faces, leave_transcript

PHOTO = png(square())
TREE = ("cat.png", "cat.webp", "dog.jpg", "trip/sea.jpg", ".hidden/x.jpg", ".DS_Store", "out/a.png")


@pytest.fixture
def album(tmp_path: Path) -> Path:
    for name in TREE:
        path = tmp_path / "album" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"")
    return tmp_path / "album"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with one photo."""
    (tmp_path / "photos").mkdir()
    (tmp_path / "photos" / "cat.png").write_bytes(PHOTO)
    return tmp_path / "photos"


def paths(found: Collection, within: Path) -> list[str]:
    return sorted(str(photo.path.relative_to(within)) for photo in found.files)


def reasons(found: Collection, within: Path) -> dict[str, str]:
    return {str(each.path.relative_to(within)): each.why for each in found.skipped}


@pytest.mark.parametrize(
    ("output", "names"),
    [
        ("out", ["cat.png", "cat.webp", "dog", "trip/sea"]),
        ("elsewhere", ["cat.png", "cat.webp", "dog", "out/a", "trip/sea"]),
        (".", ["cat.png", "cat.webp", "dog", "out/a", "trip/sea"]),
        ("..", ["cat.png", "cat.webp", "dog", "out/a", "trip/sea"]),
    ],
)
def test_a_folder_yields_every_visible_photo_outside_the_output_folder(
    album: Path, output: str, names: list[str]
) -> None:
    found = collect([album], output=album / output)

    assert sorted(photo.name for photo in found.files) == names
    hidden = {".hidden": collecting.HIDDEN, ".DS_Store": collecting.HIDDEN}
    assert reasons(found, album) == hidden | ({"out": collecting.OUTPUT} if output == "out" else {})


def test_an_output_folder_behind_a_link_is_not_read(album: Path) -> None:
    (album / "results").symlink_to(album / "out")

    found = collect([album], output=album / "results")

    assert paths(found, album) == ["cat.png", "cat.webp", "dog.jpg", "trip/sea.jpg"]
    assert reasons(found, album)["out"] == collecting.OUTPUT


@pytest.mark.parametrize("suffix", ["_bg_removed.png", "_bg_removed.webp", "_bg_removed.jpg"])
@pytest.mark.parametrize("place", [".", "sibling", "below/further"])
def test_what_matteline_wrote_is_no_photo(folder: Path, suffix: str, place: str) -> None:
    made = {"mask__png": PHOTO + b"m", "preview__png": PHOTO + b"p"}
    record = leave(folder / place, "cat", folder / "cat.png", **made)
    (record.parent / f"cat{suffix}").write_bytes(PHOTO + b"c")
    leave(
        folder / place,
        "cat",
        folder / "cat.png",
        **made,
        **{suffix[1:].replace(".", "__"): PHOTO + b"c"},
    )

    found = collect([folder], output=folder / "new")

    assert paths(found, folder) == ["cat.png"]
    assert set(reasons(found, folder).values()) == {collecting.OWN}
    assert len(found.skipped) == 4
    assert not found.lost


def test_results_that_were_copied_moved_and_renamed_are_known_by_their_bytes(folder: Path) -> None:
    output = folder.parent / "out"
    record = leave(output, "cat", folder / "cat.png", bg_removed__png=PHOTO + b"c")
    shutil.copy(output / "cat_bg_removed.png", folder / "best.png")
    assert paths(collect([folder], output=output), folder) == ["cat.png"]
    (folder / "sent").mkdir()
    shutil.copytree(output, folder / "sent" / "copy")
    shutil.copy(record, folder / "sent" / "renamed.json")

    found = collect([folder], output=output)
    elsewhere = collect([folder], output=folder.parent / "other")

    assert paths(found, folder) == ["cat.png"]
    assert paths(elsewhere, folder) == ["cat.png"]


def test_a_result_given_by_name_is_no_photo(folder: Path) -> None:
    leave(folder, "cat", folder / "cat.png", bg_removed__png=PHOTO + b"c")

    found = collect(sorted(folder.iterdir()), output=folder)

    assert paths(found, folder) == ["cat.png"]
    assert Counter(reasons(found, folder).values()) == {collecting.OWN: 2}


def test_a_result_that_was_edited_is_skipped_and_named(folder: Path) -> None:
    leave(folder, "cat", folder / "cat.png", bg_removed__png=PHOTO + b"c")
    (folder / "cat_bg_removed.png").write_bytes(PHOTO + b"retouched")

    found = collect([folder], output=folder)
    (folder / "cat_bg_removed.png").rename(folder / "retouched.png")
    renamed = collect([folder], output=folder)

    assert paths(found, folder) == ["cat.png"]
    assert reasons(found, folder)["cat_bg_removed.png"] == collecting.EDITED
    assert paths(renamed, folder) == ["cat.png", "retouched.png"]


@pytest.mark.parametrize(
    "record",
    [None, b"{}", b"[]", b"\xff", b"{" * 10_000, b'{"pictures": []}', b"{" + b" " * 2**21 + b"}"],
)
def test_a_photo_with_the_name_of_a_result_is_a_photo(folder: Path, record: bytes | None) -> None:
    (folder / "cat_bg_removed.png").write_bytes(PHOTO)
    if record is not None:
        (folder / "cat_bg_removed.json").write_bytes(record)

    found = collect([folder], output=folder)

    assert paths(found, folder) == ["cat.png", "cat_bg_removed.png"]


def test_a_page_of_a_contact_sheet_is_no_photo_and_another_file_of_its_name_is(
    folder: Path,
) -> None:
    mark = PngInfo()
    mark.add_text(*SHEET_MARK)
    Image.fromarray(square()).save(folder / "contact-sheet-01.png", pnginfo=mark)
    Image.fromarray(square()).save(folder / "contact-sheet.png")

    found = collect([folder], output=folder)

    assert paths(found, folder) == ["cat.png", "contact-sheet.png"]
    assert reasons(found, folder) == {"contact-sheet-01.png": collecting.OWN}


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("notes.txt", b"Dear diary"),
        ("Thumbs.db", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"),
        ("desktop.ini", b""),
        ("cat.xmp", b"<?xpacket begin=''?>"),
        ("IMG_0001", bytes(5000)),
    ],
)
def test_a_file_that_is_neither_is_skipped_in_a_folder_and_a_failure_if_it_is_given(
    folder: Path, name: str, content: bytes
) -> None:
    (folder / name).write_bytes(content)

    found = collect([folder], output=folder / "out")
    given = collect([folder / name], output=folder / "out")

    assert paths(found, folder) == ["cat.png"]
    assert reasons(found, folder)[name].startswith("neither a photo nor a recording: ")
    assert [(row.status, row.reason) for row in given.lost] == [
        ("UNSUPPORTED", f"{folder / name}: {reasons(found, folder)[name]}")
    ]
    assert not given.files


RECORDINGS = {
    "wav": b"RIFF\x24\0\0\0WAVEfmt ",
    "flac": b"fLaC\0\0\0\x22",
    "mp4": b"\0\0\0\x18ftypisom\0\0\0\0",
    "ogg": b"OggS\0\x02",
}


@pytest.mark.parametrize("form", RECORDINGS)
@pytest.mark.parametrize("name", ["talk", "talk.mp3", "talk.jpg", "talk.txt", "TALK.WAV"])
def test_a_recording_is_known_by_its_content_whatever_its_name(
    folder: Path, form: str, name: str
) -> None:
    (folder / name).write_bytes(RECORDINGS[form])

    found = collect([folder], output=folder / "out")

    kinds = {file.path.name: file.kind for file in found.files}
    assert kinds == {"cat.png": PHOTO_KIND, name: RECORDING}


@pytest.mark.parametrize(
    ("name", "content", "kind"),
    [
        ("cat.mp3", PHOTO, PHOTO_KIND),
        ("talk.mp3", b"Dear diary", RECORDING),
        ("talk.Mp3", b"", RECORDING),
        ("cat.jpg", b"Dear diary", PHOTO_KIND),
    ],
)
def test_a_file_whose_content_says_nothing_is_what_its_name_says(
    folder: Path, name: str, content: bytes, kind: Kind
) -> None:
    (folder / name).write_bytes(content)

    (file,) = collect([folder / name], output=folder / "out").files

    assert file.kind is kind


def test_a_photo_and_a_recording_of_one_name_share_it(folder: Path) -> None:
    (folder / "cat.mp3").write_bytes(RECORDINGS["wav"])

    found = collect([folder], output=folder / "out")

    assert [file.name for file in found.files] == ["cat", "cat"]


def test_a_transcript_and_a_denoised_recording_are_no_recordings(folder: Path) -> None:
    (folder / "talk.wav").write_bytes(RECORDINGS["wav"])
    denoised = RECORDINGS["flac"] + b"denoised"
    leave_transcript(folder, "talk", folder / "talk.wav", denoised__flac=denoised, text=b"Hello")
    (folder / "copy.flac").write_bytes(denoised)

    found = collect([folder], output=folder / "out")
    again = collect(sorted(folder.iterdir()), output=folder)

    assert paths(found, folder) == paths(again, folder) == ["cat.png", "talk.wav"]
    own = {"copy.flac", "talk_denoised.flac", "talk_transcript.txt", "talk_transcript.record.json"}
    assert {name for name, why in reasons(found, folder).items() if why == collecting.OWN} == own
    assert [file.name for file in again.files] == ["cat", "talk"]


def test_with_faces_photos_are_searched_and_recordings_left_out(folder: Path) -> None:
    (folder / "talk.wav").write_bytes(b"RIFF....WAVEfmt ")
    (folder / "cat.mp3").write_bytes(PHOTO)

    found = collect([folder], output=folder / "out", product="faces")

    assert {file.path.name: file.kind for file in found.files} == {
        "cat.png": FACES,
        "cat.mp3": FACES,
    }
    assert reasons(found, folder) == {"talk.wav": "a recording, and --product faces takes photos"}


@pytest.mark.parametrize("product", [None, "cutout", "faces"])
def test_pictures_of_faces_are_no_photos_of_the_next_run(folder: Path, product: str | None) -> None:
    preview, redacted = png(square(left=8)), png(square(left=56))
    leave_faces(
        folder, "cat", folder / "cat.png",
        faces__json=b"{}", faces_preview__jpg=preview, faces_redacted__png=redacted,
    )  # fmt: skip
    (folder / "moved.png").write_bytes(redacted)

    found = collect([folder], output=folder, product=product)

    assert paths(found, folder) == ["cat.png"]
    assert set(reasons(found, folder).values()) == {collecting.OWN}
    assert len(found.skipped) == 5


def test_a_photos_faces_and_its_cutout_have_one_name(folder: Path) -> None:
    out = folder / "out"
    out.mkdir()
    leave(out, "cat", folder / "cat.png", bg_removed__png=b"cutout")

    (faces,) = collect([folder], output=out, product="faces").files
    (photo,) = collect([folder], output=out).files

    assert faces.name == photo.name == "cat"


def test_with_a_product_media_of_others_are_left_out_and_unknown_files_are_sent_to_it(
    folder: Path,
) -> None:
    (folder / "talk.wav").write_bytes(RECORDINGS["wav"])
    (folder / "memo").write_bytes(b"Dear diary")

    found = collect([folder], output=folder / "out", product="transcript")
    given = collect(
        [folder / "memo", folder / "cat.png"], output=folder / "out", product="transcript"
    )

    assert paths(found, folder) == ["talk.wav"]
    assert reasons(found, folder)["cat.png"] == "a photo, and --product transcript takes recordings"
    assert [(file.path.name, file.kind) for file in given.files] == [("memo", RECORDING)]
    assert [row.status for row in given.lost] == ["UNSUPPORTED"]


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("cut.jpg", PHOTO[:20]),
        ("zeros.JPG", bytes(5000)),
        ("empty.png", b""),
        ("mangled.jpeg", "ÿØÿà".encode()),
        ("raw.cr3", b"\0\0\0\x18ftypcrx "),
        ("photo.txt", PHOTO),
        ("no-suffix", PHOTO),
    ],
)
def test_a_photo_by_name_or_by_content_is_a_photo(folder: Path, name: str, content: bytes) -> None:
    (folder / name).write_bytes(content)

    assert name in paths(collect([folder], output=folder / "out"), folder)


def test_links_to_folders_are_followed_once(folder: Path) -> None:
    far = folder.parent / "far"
    far.mkdir()
    (far / "sea.png").write_bytes(PHOTO)
    for name, target in (("one", far), ("two", far), ("self", folder), ("up", folder.parent)):
        (folder / name).symlink_to(target)
    (folder / "cat again.png").symlink_to(folder / "cat.png")

    found = collect([folder, folder, far], output=folder / "out")

    assert sorted(photo.path.name for photo in found.files) == ["cat.png", "sea.png"]
    assert found.files[0].path == folder / "cat.png"
    assert not found.lost
    again = [each.path.name for each in found.skipped if each.why == collecting.AGAIN]
    assert sorted(again) == ["cat again.png", "far", "one", "photos", "photos", "self", "two"]


def test_a_photo_behind_a_link_is_a_photo(folder: Path) -> None:
    (folder.parent / "sea.png").write_bytes(PHOTO)
    (folder / "link.png").symlink_to("../sea.png")

    assert paths(collect([folder], output=folder / "out"), folder) == ["cat.png", "link.png"]


def test_a_file_that_is_given_twice_is_one_photo(folder: Path) -> None:
    twins = [folder / "cat.png", folder / ".." / "photos" / "cat.png"]

    assert [photo.name for photo in collect(twins, output=folder / "out").files] == ["cat"]


def test_a_link_that_leads_nowhere_is_a_failure(folder: Path) -> None:
    (folder / "broken.jpg").symlink_to("nowhere.jpg")
    (folder / "loop").symlink_to("loop")

    found = collect([folder], output=folder / "out")

    assert {outcome.file.path.name for outcome in found.lost} == {"broken.jpg", "loop"}
    assert all(outcome.reason.endswith(": a link that leads nowhere") for outcome in found.lost)
    assert paths(found, folder) == ["cat.png"]


@pytest.fixture
def unprivileged(tmp_path: Path) -> Iterator[None]:
    """Run as a user whom permissions bind; the folders above `tmp_path` admit that user."""
    if os.geteuid() == 0:
        for parent in tmp_path.parents:
            if parent.stat().st_mode & 0o001 == 0:
                parent.chmod(parent.stat().st_mode | 0o011)
        tmp_path.chmod(0o777)
        os.seteuid(65534)
        yield
        os.seteuid(0)
    else:
        yield


@pytest.mark.usefixtures("unprivileged")
def test_what_cannot_be_read_is_a_failure(tmp_path: Path) -> None:
    album = tmp_path / "album"
    for name in ("cat.png", "mine.png", "locked/x.png", "listed/x.png"):
        (album / name).parent.mkdir(parents=True, exist_ok=True)
        (album / name).write_bytes(PHOTO)
    (album / "mine.png").chmod(0)
    (album / "locked").chmod(0)
    (album / "listed").chmod(0o400)

    found = collect([album], output=tmp_path / "out")
    given = collect([album / "mine.png", album / "locked"], output=tmp_path / "out")
    for name in ("locked", "listed"):
        (album / name).chmod(0o700)

    assert paths(found, album) == ["cat.png"]
    assert {(row.file.name, row.status, row.reason) for row in found.lost} == {
        (name, "UNREADABLE", f"{album / name}: Permission denied")
        for name in ("locked", "mine.png", "listed/x.png")
    }
    assert len(given.lost) == 2


def test_pipes_sockets_and_devices_are_named_and_never_opened(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    os.mkfifo(folder / "pipe.jpg")
    (folder / "null").symlink_to("/dev/null")
    monkeypatch.chdir(folder)  # the address of a socket is short
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind("socket")

    found = collect([folder], output=folder / "out")

    assert paths(found, folder) == ["cat.png"]
    assert reasons(found, folder) == {
        "pipe.jpg": "a named pipe",
        "socket": "a socket",
        "null": "a device",
    }


def test_any_file_name_is_taken(folder: Path) -> None:
    names = ["new\nline.png", os.fsdecode(b"\xff.png"), "x" * 251 + ".png", "\x1b[31m.png"]
    for name in names:
        (folder / name).write_bytes(PHOTO)

    assert len(collect([folder], output=folder / "out").files) == 5

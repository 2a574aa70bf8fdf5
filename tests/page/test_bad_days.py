"""What goes wrong is said, with what to do; nothing is lost, and nothing shown that is not true."""

from __future__ import annotations

import io
from urllib.parse import urlsplit

import numpy as np
import pillow_heif
import pytest
from PIL import Image

from pipeline.local.cloud import make_client
from tests.page.user import User
from tests.pictures import png, square
from tests.pipeline.cli.terminal import Terminal

PHOTO = png(square())
MARKUP = "<img src=x onerror=alert(1)>.png"


def noisy(side: int = 300) -> bytes:
    """A photo of some hundred kilobytes, which takes a while on a slow line."""
    noise = np.random.default_rng(3).integers(0, 200, (side, side, 3), dtype=np.uint8)
    noise[side // 3 : side * 2 // 3, side // 3 : side * 2 // 3] = 255
    return png(noise)


def heic() -> bytes:
    buffer = io.BytesIO()
    pillow_heif.from_pillow(Image.fromarray(square(side=128))).save(buffer, quality=90)
    return buffer.getvalue()


def test_a_text_file_with_a_photos_name_is_refused_with_its_reason(user: User) -> None:
    user.choose(user.write("diary.jpg", b"Dear diary"))
    user.wait_for("diary.jpg", "Not a photo or recording that can be read")

    alert = user.find(".sorry[role=alert]")

    assert "Plain text" in alert.text
    assert "Upload a photo (JPEG, PNG" in alert.text
    assert user.button("Replace the file")
    user.expect(lambda: user.find("h1").text, "diary.jpg")


def test_a_refused_file_is_replaced(user: User) -> None:
    user.choose(user.write("diary.jpg", b"Dear diary"))
    user.find(".sorry")
    user.button("Replace the file").click()
    user.give(user.write("cup.png", PHOTO))

    user.wait_for("cup.png", "Cut out in")
    user.expect(lambda: list(user.states()), ["cup.png"])


@pytest.mark.parametrize(
    ("name", "content", "title", "hint"),
    [
        (
            "scan.pdf",
            b"%PDF-1.7 ...",
            "A PDF, not a photo or recording",
            "Export the page as a PNG or JPEG",
        ),
        (
            "scan.jpg",
            b"%PDF-1.7 ...",
            "A PDF, not a photo or recording",
            "Export the page as a PNG or JPEG",
        ),
        ("empty.jpg", b"", "This file is empty", "Copy or export the file again"),
        (
            "notes.txt",
            b"hello",
            "Skipped: not a photo or recording",
            "Choose a photo, a recording or a film",
        ),
        ("half.png", PHOTO[: len(PHOTO) // 2], "The file is damaged", ""),
    ],
)
def test_what_is_no_photo_is_told_apart(
    user: User, name: str, content: bytes, title: str, hint: str
) -> None:
    user.drop((name, "text/plain" if name.endswith(".txt") else "", content))
    user.wait_for(name, title)

    user.find(".sorry", text=hint)
    user.expect(lambda: user.text().count(f" · {name.rpartition('.')[2].upper()}"), 1)


def test_a_heic_is_cut_out_though_the_browser_cannot_show_it(user: User) -> None:
    user.drop(("IMG_1.HEIC", "image/heic", heic()))
    user.wait_for("IMG_1.HEIC", "Cut out in")

    user.find(".pic", text="This browser cannot show the original")
    wide = "return document.querySelector('.pic img').naturalWidth"
    user.expect(lambda: user.run(wide), 128)
    assert not user.all(".split input")


def test_a_photo_of_50_megapixels_is_cut_out_and_shown(user: User) -> None:
    pixels = np.zeros((6250, 8000, 3), dtype=np.uint8)
    pixels[2000:4000, 2500:5500] = 255
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "JPEG")
    user.choose(user.write("field.jpg", buffer.getvalue()))
    user.wait_for("field.jpg", "Cut out in")

    user.find(".split input")
    user.find(".stage-head p", text="8000 × 6250")


def test_too_many_pixels_are_refused_with_the_limit(user: User) -> None:
    # A PNG's header is enough: nothing is decoded to find out
    import struct
    import zlib

    def chunk(kind: bytes, data: bytes) -> bytes:
        return (
            struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        )

    head = chunk(b"IHDR", struct.pack(">IIBBBBB", 20000, 20000, 8, 2, 0, 0, 0))
    content = b"\x89PNG\r\n\x1a\n" + head + chunk(b"IDAT", zlib.compress(b"")) + chunk(b"IEND", b"")
    user.drop(("pano.png", "image/png", content))
    user.wait_for("pano.png", "This file is too large")

    user.find(".sorry", text="20000 × 20000 pixels; the limit is 100,000,000")


def test_a_name_with_markup_is_a_name(user: User) -> None:
    user.drop((MARKUP, "image/png", PHOTO))
    user.wait_for(MARKUP, "Cut out in")

    user.expect(lambda: user.find("h1").text, MARKUP)
    assert not user.all("img[src=x]")
    user.button("Download PNG").click()
    assert user.downloaded("_img src=x onerror=alert(1)_.png")


@pytest.mark.parametrize(
    "name", ["a/b\\c.png", "${filename}.png", "e" * 250 + ".png", " .png", ".."]
)
def test_a_name_that_the_service_would_not_take_is_changed_for_it(user: User, name: str) -> None:
    user.drop((name, "image/png", PHOTO))

    user.until(lambda: "1 done" in user.text() or None, "the result")


def test_two_hundred_files_are_all_there_and_four_go_at_a_time(user: User) -> None:
    user.hold("api/uploads")
    user.drop(*((f"{n}.png", "image/png", PHOTO) for n in range(200)))
    user.until(lambda: "Uploading" in str(user.states()) or None, "the first uploads")
    user.expect(lambda: len(user.states()), 200)
    states = list(user.states().values())

    assert sum("Uploading" in each for each in states) == 4
    assert sum("Waiting" in each for each in states) == 196
    assert "Waiting · 195 ahead" in states
    user.let_go()
    user.until(lambda: "Cut out" in str(user.states()) or None, "the first result")


def test_while_the_service_is_away_nothing_is_lost(user: User) -> None:
    user.be_offline()
    user.drop(("cup.png", "image/png", PHOTO))

    user.find(".away", text="The service is not answering")
    user.find(".away", text="trying again in")
    user.until(
        lambda: (
            "not answering"
            in user.run("return document.querySelector('.aways [role=alert]').textContent")
            or None
        ),
        "the alert",
    )
    user.expect(lambda: user.states()["cup.png"], "Waiting")
    user.button("Try now").click()
    user.find(".away", text="trying again in")
    user.be_online()

    user.wait_for("cup.png", "Cut out in")
    user.gone(".away")


def test_an_upload_that_is_cut_in_the_middle_goes_on_by_itself(user: User) -> None:
    user.be_slow(10_000)
    user.choose(user.write("large.png", noisy()))
    user.until(lambda: "Uploading" in user.states().get("large.png", "") or None, "the upload")
    user.be_offline()
    user.find(".away")
    user.be_online()

    user.wait_for("large.png", "Cut out in")


def test_a_link_that_ran_out_is_replaced_unasked(user: User) -> None:
    user.choose(user.write("cup.png", PHOTO))
    user.find(".split input")
    user.run_later(_SPOIL)
    user.open()

    user.find(".split input")
    user.button("Download PNG").click()
    assert Image.open(io.BytesIO(user.downloaded("cup.png"))).size == (96, 96)


_SPOIL = """
const database = await new Promise((resolve) => {
  const opened = indexedDB.open('matteline')
  opened.onsuccess = () => resolve(opened.result)
})
const items = database.transaction('items', 'readwrite').objectStore('items')
await new Promise((resolve) => {
  const asked = items.getAll()
  asked.onsuccess = () => {
    for (const item of asked.result) {
      item.results[0].url = item.results[0].url.replace(/Signature=.*/, 'Signature=0')
      items.put(item).onsuccess = resolve
    }
  }
})
database.close()
"""


def test_a_result_that_was_deleted_is_said_to_be_gone(user: User) -> None:
    user.choose(user.write("cup.png", PHOTO))
    user.find(".split input")
    url = user.run_later(
        "const opened = indexedDB.open('matteline');"
        "await new Promise((resolve) => { opened.onsuccess = resolve });"
        "const asked = opened.result.transaction('items').objectStore('items').getAll();"
        "await new Promise((resolve) => { asked.onsuccess = resolve });"
        "opened.result.close(); return asked.result[0].results[0].url"
    )
    bucket, _, key = urlsplit(url).path.removeprefix("/").partition("/")
    make_client("s3", user.address).delete_object(Bucket=bucket, Key=key)
    user.open()

    user.find(".sorry", text="The result is gone")
    user.button("Try again").click()
    user.find(".split input")


def test_a_file_whose_bytes_are_gone_is_asked_for_by_name(user: User) -> None:
    user.be_offline()
    user.drop(("cup.png", "image/png", PHOTO))
    user.find(".away")
    user.run_later(
        "const opened = indexedDB.open('matteline');"
        "await new Promise((resolve) => { opened.onsuccess = resolve });"
        "const blobs = opened.result.transaction('blobs', 'readwrite').objectStore('blobs');"
        "const cleared = blobs.clear();"
        "await new Promise((resolve) => { cleared.onsuccess = resolve }); opened.result.close()"
    )
    user.be_online()
    user.open()

    user.find(".sorry", text="Choose cup.png again to go on.")
    user.find(".sorry .btn.primary").click()
    user.give(user.write("cup.png", PHOTO))
    user.wait_for("cup.png", "Cut out in")


def test_a_quota_says_what_is_left_and_until_when(user: User, up: Terminal) -> None:
    at = f"--endpoint-url {user.address}"
    up.type(f"matteline quotas set default --upload-bytes 100 {at}")
    try:
        user.drop(("cup.png", "image/png", PHOTO))
        bar = user.find(".away", text="Limit reached until")
        words, waits = bar.text, user.states()["cup.png"]
    finally:
        up.type(f"matteline quotas clear default {at}")
    user.button("Try now").click()
    user.wait_for("cup.png", "Cut out in")

    assert "bytes" in words
    assert waits == "Waiting"
    user.gone(".away")


def test_a_folder_without_files_says_so(user: User) -> None:
    user.run("""
        const transfer = { types: ['Files'], files: [], items: [{ webkitGetAsEntry: () => ({
          name: 'album', isDirectory: true,
          createReader: () => ({ readEntries: (found) => found([]) }) }) }] }
        const event = new Event('drop', { bubbles: true, cancelable: true })
        event.dataTransfer = transfer
        document.body.dispatchEvent(event)
    """)
    user.find(".away", text="There are no files in this folder.")
    user.button("Close").click()
    user.gone(".away")

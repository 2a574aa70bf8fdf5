"""From a photo to its faces and its hidden faces, on a real local cloud.

Its networks take a bright square for a face: tests/face_models.py.
"""

from __future__ import annotations

import io
import json
from typing import Final
from urllib.parse import urlsplit

import numpy as np
from PIL import ExifTags, Image

from pipeline.local.cloud import make_client
from tests.face_models import BLUE, RED, painted
from tests.page.faces import KEPT, ask_for_faces
from tests.page.user import User
from tests.pictures import png, unpng

NAME: Final = "squares.png"
SIDE: Final = 512
SQUARES: Final = ((128, 128, 128, RED), (320, 320, 64, BLUE))
PLACES: Final = [
    [each / SIDE for each in (left, top, side, side)] for left, top, side, _ in SQUARES
]


def photo() -> bytes:
    return png(painted(*SQUARES, size=(SIDE, SIDE)))


def found(user: User, *options: str) -> None:
    ask_for_faces(user)
    user.find(".making summary").click()
    for option in options:
        user.button(option).click()
    user.drop((NAME, "image/png", photo()))
    user.wait_for(NAME, "2 faces")
    user.find(".face-layer")


def test_faces_are_found_described_hidden_downloaded_and_deleted(user: User) -> None:
    found(user, "Estimate age and gender", "Estimate expressions")
    described = [each.text for each in user.all(".people li")]
    boxes = user.run(_BOXES)
    user.button("Pixelate").click()
    user.wait_for(NAME, "2 faces, hidden")
    user.find(".split input")
    user.find(".files button", text="Download JSON").click()
    user.find(".end button", text="Download PNG with hidden faces").click()
    document = json.loads(user.downloaded("squares_faces.json"))
    hidden = unpng(user.downloaded("squares_faces_redacted.png"))[..., :3]
    user.button("More").click()
    user.find(".menu button", text="Delete results").click()
    user.until(lambda: user.driver.switch_to.alert, "a question").accept()
    user.wait_for(NAME, "Results deleted")

    assert len(document["faces"]) == 2
    assert "male" in described[0] + described[1]
    assert all("Estimated: about" in each for each in described)
    assert np.allclose(sorted(boxes), sorted(PLACES), atol=0.02)
    before = np.asarray(Image.open(io.BytesIO(photo())))
    for left, top, side, _ in SQUARES:
        place = np.s_[top : top + side, left : left + side]
        assert np.abs(hidden[place].astype(int) - before[place]).mean() > 5
    assert not hidden[:64].any()


# Each box as shares of the picture, without its line.
_BOXES: Final = """
const whole = document.querySelector('.pic').getBoundingClientRect()
return [...document.querySelectorAll('rect.over')].map((each) => {
  const { x, y, width, height } = each.getBoundingClientRect()
  return [(x + 1 - whole.x) / whole.width, (y + 1 - whole.y) / whole.height,
    (width - 2) / whole.width, (height - 2) / whole.height]
})
"""


def test_boxes_are_on_the_faces_of_a_photo_that_a_camera_turned(user: User) -> None:
    upright = painted(*SQUARES, size=(SIDE, SIDE))
    exif, buffer = Image.Exif(), io.BytesIO()
    exif[ExifTags.Base.Orientation] = 6  # to be shown turned to the right
    Image.fromarray(np.rot90(upright)).save(buffer, "JPEG", quality=95, exif=exif)
    ask_for_faces(user)
    user.drop(("turned.jpg", "image/jpeg", buffer.getvalue()))
    user.wait_for("turned.jpg", "2 faces")
    user.find(".face-layer")
    boxes = user.run(_BOXES)
    seen = np.asarray(Image.open(io.BytesIO(user.screenshot())).convert("RGB"))
    whole = user.run("return document.querySelector('.pic').getBoundingClientRect().toJSON()")

    assert np.allclose(sorted(boxes), sorted(PLACES), atol=0.02)
    for (left, top, side, _), light in zip(PLACES, (RED, BLUE), strict=True):
        across = whole["x"] + (left + side / 2) * whole["width"]
        down = whole["y"] + (top + side * 0.75) * whole["height"]
        assert np.allclose(seen[round(down), round(across)], light, atol=40)


def test_faces_are_hidden_at_once_if_that_is_asked_before(user: User) -> None:
    ask_for_faces(user)
    user.find(".making summary").click()
    user.pick("Hide faces", "Cover")
    user.drop((NAME, "image/png", photo()))
    user.wait_for(NAME, "2 faces, hidden")

    user.find(".split input")
    user.until(lambda: user.all(".thumb.cut") or None, "the thumbnail of the hidden faces")


def test_a_photo_without_a_face_is_done(user: User) -> None:
    ask_for_faces(user)
    user.drop(("plain.png", "image/png", png(painted(size=(SIDE, SIDE)))))

    user.wait_for("plain.png", "No face found")
    user.find(".pic .pill", text="No face was found in this photo.")


def test_what_is_no_photo_is_refused_as_for_a_cutout(user: User) -> None:
    ask_for_faces(user)
    user.drop(("diary.jpg", "image/jpeg", b"Dear diary"))

    user.wait_for("diary.jpg", "Not a photo or recording that can be read")
    user.find(".sorry li")


def test_a_photo_that_is_deleted_takes_its_faces_with_it(user: User) -> None:
    found(user)
    key, results = user.run_later(f"const [item] = await {KEPT}; return [item.key, item.results]")
    s3 = make_client("s3", user.address)
    s3.delete_object(Bucket="matteline-local-ingest", Key=key)
    bucket, _, output = urlsplit(results[0]["url"]).path.removeprefix("/").partition("/")
    user.until(
        lambda: not s3.list_objects_v2(Bucket=bucket, Prefix=output)["KeyCount"] or None,
        "the end of the file of faces",
    )
    user.open()
    user.find(".sorry")
    said = user.find(".sorry h2").text
    user.find(".sorry button", text="Try again").click()
    user.find(".sorry button", text="Replace the file")

    assert said in {"The result is gone", "The results were deleted"}
    assert not user.all(".face-layer, .people, .ways")


def test_a_photo_whose_bytes_are_gone_is_searched_for_faces_when_it_is_given_again(
    user: User,
) -> None:
    ask_for_faces(user)
    user.be_offline()
    user.drop((NAME, "image/png", photo()))
    user.find(".away")
    user.run_later(_FORGET_FILES)
    user.be_online()
    user.open()
    user.find(".making label", text="Cut-outs").click()
    user.find(".sorry button", text="Choose files").click()
    user.give(user.write(NAME, photo()))
    user.wait_for(NAME, "2 faces")


_FORGET_FILES = """
const opened = indexedDB.open('matteline')
await new Promise((resolve) => { opened.onsuccess = resolve })
const cleared = opened.result.transaction('blobs', 'readwrite').objectStore('blobs').clear()
await new Promise((resolve) => { cleared.onsuccess = resolve })
opened.result.close()
"""

"""Take the pictures of docs/page.md, with the model that the repository has."""

from __future__ import annotations

import io
import json
import os
from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path
from typing import Any, Final

import numpy as np
import pytest
from PIL import Image
from selenium import webdriver
from selenium.webdriver import ActionChains, Keys

from containers.face_analyzer.redaction import hide
from pipeline.contracts.faces import FacesDocument
from tests.conftest import ROOT
from tests.models import Shelf
from tests.page.faces import Files, ask_for_faces, done, say, serving
from tests.page.finding import ANSWER, STAFF, collections, match
from tests.page.recordings import spoken, transcribed
from tests.page.user import User
from tests.pictures import Pixels, png
from tests.pipeline.cli.terminal import Terminal, beside_up, users_environment

PICTURES: Final = ROOT / "docs/page"
WRITES: Final = bool(os.environ.get("MATTELINE_WRITE_PICTURES"))
COLOURS: Final = 256  # of a stored picture: a quarter of the bytes, and hardly another look


@pytest.fixture(scope="module")
def starter(shelf: Shelf, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Terminal]:
    environment = users_environment(shelf, tmp_path_factory.mktemp("cache"))
    folder = tmp_path_factory.mktemp("terminal")
    with beside_up(ROOT, folder, environment, model="starter") as terminal:
        yield terminal


@pytest.fixture
def visitor(browser: webdriver.Chrome, starter: Terminal, tmp_path: Path) -> User:
    user = User(browser, starter.endpoint, tmp_path)
    user.begin()
    return user


def keep(user: User, name: str) -> None:
    """Store what is seen, if pictures are asked for; it must not be blank."""
    user.run("document.activeElement?.blur()")
    user.until(lambda: user.run(_DRAWN) or None, "every image")
    picture = Image.open(io.BytesIO(user.screenshot())).convert("RGB")
    colours = picture.getcolors(1 << 24) or []
    assert len(colours) > 100
    if WRITES:
        PICTURES.mkdir(exist_ok=True)
        picture.quantize(COLOURS, kmeans=2, dither=Image.Dither.FLOYDSTEINBERG).save(
            PICTURES / f"{name}.png", optimize=True
        )


# Images that are not shown, as on a small screen, may never load.
_DRAWN = """
return [...document.images].every((each) => !each.checkVisibility() || each.naturalWidth)
"""


def views(user: User, name: str, *looks: str) -> None:
    for look in looks:
        theme, width = look.split("-")
        sizes = {"wide": (1280, 800), "middle": (900, 800), "small": (390, 844)}
        user.look(theme=theme, width=sizes[width][0], height=sizes[width][1])
        keep(user, f"{name}-{look}")


def test_the_page_without_files(visitor: User) -> None:
    views(visitor, "empty", "light-wide", "dark-wide", "light-small")


def test_a_cutout(visitor: User) -> None:
    for sample in ("A plant", "A vase", "A pear"):
        if visitor.all(".tries"):
            visitor.button(sample).click()
            name = visitor.find(".row b").text
        else:
            name = f"{sample[2:]}.jpg"
            visitor.run_later(_SAMPLE, name)
        visitor.wait_for(name, "Cut out")
    visitor.drop(("scan.pdf", "application/pdf", b"%PDF-1.7"))
    visitor.find(".row", text="pear.jpg").click()
    visitor.find(".split input")
    visitor.until(lambda: len(visitor.all(".thumb.cut")) == 3 or None, "thumbnails")
    views(
        visitor, "compare", "light-wide", "dark-wide", "light-middle", "light-small", "dark-small"
    )
    visitor.look(theme="light", width=1280)
    visitor.button("Cut-out").click()
    visitor.button("Sand").click()
    visitor.button("Trim to the subject").click()
    visitor.find(".canvas img.framed")
    views(visitor, "result", "light-wide")
    visitor.find(".row", text="scan.pdf").click()
    views(visitor, "refused", "light-wide", "dark-small")


def test_a_selection(visitor: User) -> None:
    """The tests' model answers with discs: docs/page.md says so."""
    visitor.button("A pear").click()
    visitor.wait_for("pear.jpg", "Cut out")
    visitor.find(".row").click()
    visitor.button("Select").click()
    visitor.find(".chip", text="Ready")
    for x, y, shift in ((-60, 80, False), (60, -120, True)):
        chain = ActionChains(visitor.driver)
        if shift:
            chain.key_down(Keys.SHIFT)
        picture = visitor.find(".selecting")
        chain.move_to_element_with_offset(picture, x, y).click().key_up(Keys.SHIFT).perform()
        visitor.find(".chip", text="Updated in")
    visitor.find(".cand")
    visitor.until(lambda: visitor.run(_LOADED) or None, "the choices' pictures")
    views(visitor, "select", "light-wide", "dark-wide", "light-middle", "light-small")


_LOADED = """
return [...document.querySelectorAll('.crop img, .selecting img')].every((each) => each.complete)
"""
_SAMPLE = """
const drawing = new Image()
drawing.src = `art/${arguments[0].replace('.jpg', '.svg')}`
await drawing.decode()
const canvas = new OffscreenCanvas(1200, 1200)
canvas.getContext('2d').drawImage(drawing, 0, 0, 1200, 1200)
const blob = await canvas.convertToBlob({ type: 'image/jpeg', quality: 0.92 })
const transfer = new DataTransfer()
transfer.items.add(new File([blob], arguments[0], { type: 'image/jpeg' }))
document.body.dispatchEvent(new DragEvent('drop', { dataTransfer: transfer, bubbles: true }))
"""


def test_a_transcript(visitor: User) -> None:
    """The service is that of the tests: docs/page.md shows what the page makes of its answers."""
    transcribed(visitor, spoken(_INTERVIEW))
    visitor.find(".row").click()
    for place, name in enumerate(("Jiwoo", "Marta"), start=1):
        visitor.button(f"Name of speaker {place}").send_keys(name, Keys.ENTER)
    visitor.until(lambda: len(visitor.run("return window.names")) == 2 or None, "both names")
    visitor.button("Find a word").send_keys("kiln")
    visitor.find(".hit.now")
    visitor.find(".turn span", text="decides").click()
    visitor.button("Pause").click()
    visitor.find(".turn [aria-current]", text="decides")
    views(visitor, "transcript", "light-wide", "dark-small")


_INTERVIEW: Final = (
    ("SPEAKER_00", 500, "So when you open the kiln, do you already know whether it worked?"),
    (
        "SPEAKER_01", 6_500,
        "No. You think you know. The glaze looks flat, and then the heat decides everything.",
    ),
    ("SPEAKER_00", 14_500, "And the copper red, the one in the window?"),
    (
        "SPEAKER_01", 19_000,
        "That one is luck, mostly. You starve the fire of air, shut the kiln, and wait.",
    ),
)  # fmt: skip


def astronaut() -> tuple[Pixels, FacesDocument]:
    """Return a photo, and its face as face-api finds it."""
    photo = np.array(Image.open(str(files("skimage") / "data/astronaut.png")).convert("RGB"))
    (found,) = json.loads((ROOT / "tests/e2e/face_api_faces.json").read_text())["astronaut"]["ssd"]
    box = dict(zip(("x", "y", "width", "height"), found["box"], strict=True))
    face = {"detection": {"box": box, "score": found["score"]}, "landmarks": found["landmarks"]}
    document = FacesDocument.model_validate(
        {"width": 512, "height": 512, "faces": [face | _ESTIMATES], "model": "face-api-ssd",
         "weights_sha256": "0" * 64, "estimated": "Estimates."}
    )  # fmt: skip
    return photo, document


def test_faces(visitor: User) -> None:
    """Show a face as face-api finds it; the code of the service hides it."""
    photo, document = astronaut()
    hidden = photo.copy()
    hide(hidden, document.faces[0], "pixelate")
    content = document.model_dump_json(by_alias=True, exclude_none=True).encode()
    published: Files = {
        "astronaut_faces.json": ("faces", "application/json", content),
        "astronaut_faces_redacted.png": ("redacted", "image/png", png(hidden)),
    }
    with serving(visitor, published):
        ask_for_faces(visitor)
        say(visitor, done(dict(list(published.items())[:1]), 1))
        visitor.drop(("astronaut.png", "image/png", png(photo)))
        visitor.wait_for("astronaut.png", "1 face")
        visitor.find(".row").click()
        visitor.button("Show landmarks").click()
        visitor.find(".people button").click()
        visitor.find(".face-card")
        views(visitor, "faces", "light-wide")
        say(visitor, done(published, 1))
        visitor.button("Pixelate").click()
        visitor.find(".split input")
        visitor.until(lambda: visitor.all(".thumb.cut") or None, "the thumbnail")
        views(visitor, "hidden", "light-small")


def test_a_search(visitor: User) -> None:
    """The candidates are made up: docs/page.md shows what the page makes of an answer."""
    photo, document = astronaut()
    whole = json.loads(document.model_dump_json(by_alias=True, exclude_none=True))
    for each in _ESTIMATES:
        del whole["faces"][0][each]
    published: Files = {
        "astronaut_faces.json": ("faces", "application/json", json.dumps(whole).encode()),
        "astronaut_faces.embeddings.json": (
            "embedded", "application/json", b'{"faces": [{"face": 0, "row": 0}]}',
        ),
    }  # fmt: skip
    matches = [
        match(0.938, "A-0412", "badge-0412.jpg"),
        match(0.866, "A-0412", "launch-day.jpg"),
        match(0.713, "A-0077", "suit-fitting.jpg"),
    ]
    answer = {**ANSWER, "queries": [{"face": 0, "box": None, "matches": matches}]}
    staff = {**STAFF, "purpose": "Photos of missions"}
    with serving(visitor, published), collections(visitor, [staff], answer):
        ask_for_faces(visitor)
        say(visitor, done(published, 1))
        visitor.drop(("astronaut.png", "image/png", png(photo)))
        visitor.wait_for("astronaut.png", "1 face")
        visitor.find(".row").click()
        visitor.find("#mode-search").click()
        visitor.button("Search for these faces").click()
        visitor.find(".candidates ol")
        views(visitor, "search", "light-wide")
        visitor.find(".candidates button").click()
        visitor.find(".face-card .best")
        views(visitor, "search", "light-small")


# What the model `face-api-ssd` estimates of that face.
_ESTIMATES: Final[dict[str, Any]] = {
    "ageAndGender": {"age": 32.4, "gender": "female", "genderProbability": 0.87},
    "expressions": {
        "happy": 0.9999, "neutral": 1e-4, "sad": 0, "angry": 0, "fearful": 0, "disgusted": 0,
        "surprised": 0,
    },
}  # fmt: skip


def test_files_on_their_way(visitor: User) -> None:
    visitor.be_slow(8_000)
    visitor.button("A plant").click()
    visitor.until(lambda: "Uploading" in str(visitor.states()) or None, "an upload")
    for sample in ("vase.jpg", "pear.jpg"):
        visitor.run_later(_SAMPLE, sample)
    visitor.until(lambda: str(visitor.states()).count("Uploading") >= 2 or None, "uploads")
    visitor.until(lambda: len(visitor.all(".row .thumb img")) == 3 or None, "thumbnails")
    views(visitor, "queue", "light-wide", "light-small")


def test_in_korean(visitor: User) -> None:
    visitor.button("Settings").click()
    visitor.pick("Language", "한국어")
    visitor.find("h2", text="설정")
    visitor.button("닫기").click()
    visitor.button("배").click()
    visitor.wait_for("pear.jpg", "배경 제거")
    visitor.find(".split input")
    views(visitor, "compare-ko", "light-wide")

"""The page's click: from the pointer to a mask that is seen, in Chromium on `matteline up`.

The decoder is that of the clicks table: of the true shape, with random weights. Its masks are
noise, whose outline is longer than that of any subject.
`python -m tests.bench.page` measures nothing else.
"""

from __future__ import annotations

import hashlib
import io
import statistics
import tempfile
from pathlib import Path

import numpy as np
from PIL import Image
from selenium.webdriver import ActionChains

from pipeline.cli.report import console
from tests.bench.clicks import model_row
from tests.conftest import ROOT
from tests.models import Shelf, brightness, catalogue_row
from tests.page.conftest import open_browser
from tests.page.user import User
from tests.pipeline.cli.terminal import beside_up, users_environment

CLICKS = 12
_SIDE = 4000  # of a photo of 12 megapixels
_WATCH = """
window.times = []
let pressed = 0
let before
document.addEventListener('pointerup', () => { pressed = performance.now() }, true)
new MutationObserver(() => {
  const line = document.querySelector('.matte-line path')?.getAttribute('d')
  if (!pressed || !line || line === before) return
  before = line
  const from = pressed
  pressed = 0
  requestAnimationFrame(() => setTimeout(() => window.times.push(performance.now() - from)))
}).observe(document.body, { subtree: true, childList: true, attributes: true })
"""


def main() -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        content = brightness().SerializeToString()
        (folder / "brightness.onnx").write_bytes(content)
        everyday = catalogue_row("brightness", hashlib.sha256(content).hexdigest())
        shelf = Shelf(folder, folder / "models.toml")
        shelf.catalogue.write_text(everyday + model_row(folder))
        driver = open_browser(folder / "profile")
        try:
            with beside_up(ROOT, folder, users_environment(shelf, folder / "cache")) as up:
                times = _clicks(User(driver, up.endpoint, folder))
        finally:
            driver.quit()
    first, *later = times
    console().print(
        f"A click to a mask that is seen: first {first:,.0f} ms; then, of {len(later)}, "
        f"median {statistics.median(later):,.0f} ms, longest {max(later):,.0f} ms"
    )


def _clicks(user: User) -> list[float]:
    user.begin()
    user.drop(("photo.jpg", "image/jpeg", _photo()))
    user.wait_for("photo.jpg", "Cut out")
    user.button("Select").click()
    user.until(lambda: user.all(".chip .ok")[:1] or None, "the preparation", patience_s=300)
    user.run(_WATCH)
    for number in range(CLICKS):
        if number:
            user.button("Remove: Subject 1").click()  # the stand-in's decoder takes one point
        place = (number * 37 % 200 - 100, number * 53 % 160 - 80)
        chain = ActionChains(user.driver)
        chain.move_to_element_with_offset(user.find(".selecting"), *place).click().perform()
        user.until(lambda n=number: len(user.run("return times")) > n or None, "the mask")  # type: ignore[misc]
    found: list[float] = user.run("return times")
    return found


def _photo() -> bytes:
    pixels = np.zeros((3 * _SIDE // 4, _SIDE, 3), np.uint8)
    pixels[800:2200, 1200:2800] = 255
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "JPEG")
    return buffer.getvalue()


if __name__ == "__main__":
    main()

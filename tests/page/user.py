"""What a user of the page does and finds."""

from __future__ import annotations

import base64
import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from selenium.common.exceptions import (
    NoAlertPresentException,
    NoSuchElementException,
    StaleElementReferenceException,
)
from selenium.webdriver import ActionChains, Chrome, Keys
from selenium.webdriver.common.by import By
from selenium.webdriver.remote.webelement import WebElement
from selenium.webdriver.support.select import Select

PATIENCE_S = 120  # a slow machine is no fault; a test that fails waits once
T = TypeVar("T")
_NOT_YET = (
    StopIteration,
    StaleElementReferenceException,
    NoSuchElementException,
    NoAlertPresentException,
)


def logged(driver: Any, kind: str) -> list[dict[str, Any]]:
    """Return what the browser has logged since it was last asked; selenium's own is untyped."""
    entries: list[dict[str, Any]] = driver.get_log(kind)
    return entries


@dataclass
class User:
    driver: Chrome
    address: str
    folder: Path

    @property
    def downloads(self) -> Path:
        return self.folder / "downloads"

    def begin(self) -> None:
        """Open the page as somebody who never did."""
        self.driver.get("about:blank")
        self.command("Storage.clearDataForOrigin", origin=self.address, storageTypes="all")
        self.command(
            "Browser.setDownloadBehavior", behavior="allow", downloadPath=str(self.downloads)
        )
        self.command("Browser.grantPermissions", origin=self.address,
                     permissions=["clipboardReadWrite", "clipboardSanitizedWrite"])  # fmt: skip
        self.command("Page.setInterceptFileChooserDialog", enabled=True)
        self.command("Emulation.setEmulatedMedia",
                     features=[{"name": "prefers-reduced-motion", "value": "reduce"}])  # fmt: skip
        self.resize(1280, 800)
        logged(self.driver, "performance")
        logged(self.driver, "browser")
        self.open()

    def open(self) -> None:
        self.driver.get(f"{self.address}/")
        self.find(".hello, .app")

    def command(self, name: str, **parameters: Any) -> Any:
        return self.driver.execute_cdp_cmd(name, parameters)

    def resize(self, width: int, height: int = 800) -> None:
        self.command("Emulation.setDeviceMetricsOverride",
                     width=width, height=height, deviceScaleFactor=1, mobile=False)  # fmt: skip
        self.expect(lambda: self.run("return [innerWidth, innerHeight]"), [width, height])

    def be_offline(self) -> None:
        self.driver.set_network_conditions(offline=True, latency=0, throughput=0)

    def be_slow(self, bytes_a_second: int) -> None:
        self.driver.set_network_conditions(
            latency=5, download_throughput=10_000_000, upload_throughput=bytes_a_second
        )

    def be_online(self) -> None:
        self.driver.delete_network_conditions()

    def hold(self, path: str) -> None:
        """Let requests to this path wait until they are let go, or the page is loaded again."""
        self.run(_HOLD, path)

    def let_go(self) -> None:
        self.run("window.open_gate()")

    # What is there

    def find(self, selector: str, *, text: str = "") -> WebElement:
        """Wait for a visible element; with `text`, for one that has it."""
        return self.until(
            lambda: next(
                each for each in self.all(selector) if each.is_displayed() and text in each.text
            ),
            f"{selector} {text!r}",
        )

    def button(self, name: str) -> WebElement:
        """Wait for the button that a screen reader calls so."""
        return self.until(
            lambda: next(
                each
                for each in self.all("button, input, select")
                if each.is_displayed() and each.accessible_name == name
            ),
            f"button {name!r}",
        )

    def all(self, selector: str) -> list[WebElement]:
        return self.driver.find_elements(By.CSS_SELECTOR, selector)

    def gone(self, selector: str) -> None:
        self.until(lambda: not self.all(selector) or None, f"no {selector}")

    def until(
        self, look: Callable[[], T | None], what: str, *, patience_s: float = PATIENCE_S
    ) -> T:
        deadline = time.monotonic() + patience_s
        while True:
            try:
                if (found := look()) is not None:
                    return found
            except _NOT_YET:
                pass
            assert time.monotonic() < deadline, f"{what} is not there: {self.text()[:2000]}"
            time.sleep(0.05)

    def expect(self, look: Callable[[], object], wanted: object) -> None:
        """Wait until `look` returns this. What an act changes is drawn some frames later."""
        last: object = None

        def same() -> bool | None:
            nonlocal last
            last = look()
            return last == wanted or None

        try:
            self.until(same, f"{wanted!r}")
        except AssertionError as error:
            message = f"wanted {wanted!r}, found {last!r}"
            raise AssertionError(message) from error

    def said(self) -> str:
        """Return the last thing that a screen reader was told."""
        status = self.driver.find_element(By.CSS_SELECTOR, "#app > [role=status]")
        return status.get_attribute("textContent") or ""

    def text(self) -> str:
        return self.driver.find_element(By.TAG_NAME, "body").text

    def states(self) -> dict[str, str]:
        """Return what the list says of each file."""
        rows = self.run(
            "return [...document.querySelectorAll('.row')].map((row) =>"
            " [row.querySelector('b').textContent, row.querySelector('.state').textContent])"
        )
        return dict(rows)

    def wait_for(self, name: str, state: str) -> None:
        self.until(lambda: state in self.states().get(name, "") or None, f"{name}: {state}")

    def run(self, script: str, *arguments: Any) -> Any:
        return self.driver.execute_script(script, *arguments)

    def run_later(self, script: str, *arguments: Any) -> Any:
        """Run a script that returns a promise."""
        return self.driver.execute_async_script(
            f"const end = arguments[arguments.length - 1];(async () => {{{script}}})()"
            ".then((value) => end({ value }), (error) => end({ error: `${error}` }))",
            *arguments,
        )["value"]

    # What is done

    def press(self, *keys: str) -> None:
        ActionChains(self.driver).send_keys(*keys).perform()

    def pick(self, name: str, choice: str) -> None:
        """Choose in a list. Typed letters would mean another choice after a pause."""
        field = Select(self.button(name))
        self.until(lambda: choice in [each.text for each in field.options] or None, choice)
        field.select_by_visible_text(choice)

    def write(self, name: str, content: bytes) -> Path:
        path = self.folder / name
        path.write_bytes(content)
        return path

    def choose(self, *paths: Path) -> None:
        """Press the button that adds files, and choose these."""
        self.find(".queue > .btn, .hero .btn.primary").click()
        self.give(*paths)

    def give(self, *paths: Path) -> None:
        """Choose files in the browser's dialog, which is open."""
        field = self.until(lambda: self.all("input[type=file]")[-1:] or None, "a file field")[0]
        field.send_keys("\n".join(map(str, paths)))

    def drop(self, *files: tuple[str, str, bytes]) -> None:
        """Drag files (name, media type, content) over the page and let go."""
        given = [(name, kind, base64.b64encode(content).decode()) for name, kind, content in files]
        self.run(_TRANSFER + _DROP, given)

    def paste(self, *files: tuple[str, str, bytes]) -> None:
        given = [(name, kind, base64.b64encode(content).decode()) for name, kind, content in files]
        self.run(_TRANSFER + _PASTE, given)

    def downloaded(self, name: str) -> bytes:
        path = self.downloads / name
        self.until(lambda: path.exists() or None, f"the download {name}")
        return path.read_bytes()

    # What it looks like, and what a screen reader finds

    def screenshot(self) -> bytes:
        return base64.b64decode(self.command("Page.captureScreenshot", format="png")["data"])

    def look(self, *, theme: str, width: int, height: int = 800) -> None:
        self.run("document.documentElement.dataset.theme = arguments[0]", theme)
        self.resize(width, height)

    def violations(self, axe: str) -> list[str]:
        """Return the rules of WCAG 2.2 A and AA that the page breaks, and where."""
        self.run(axe)
        found = self.run_later(
            "return await axe.run({ runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa',"
            " 'wcag22aa', 'best-practice'], rules: {"
            # On a small screen the list is a screen of its own, and is navigation.
            " 'landmark-one-main': { enabled: false },"
            " 'page-has-heading-one': { enabled: false } } })"
        )
        return [
            json.dumps([rule["id"], [node["target"] for node in rule["nodes"]],
                        rule["nodes"][0]["failureSummary"]])
            for rule in found["violations"]
        ]  # fmt: skip

    def wider_than_window(self) -> bool:
        return bool(self.run("const root = document.documentElement;"
                             "return root.scrollWidth > root.clientWidth"))  # fmt: skip

    def focused(self) -> WebElement:
        return self.driver.switch_to.active_element

    def tab_to(self, name: str, *, most: int = 60) -> WebElement:
        """Press Tab until what has this name has the focus, which must be visible on the way."""
        for _ in range(most):
            self.press(Keys.TAB)
            element = self.focused()
            if element.accessible_name == name:
                return element
        raise AssertionError(f"Tab never reaches {name!r}")


_HOLD = """
const [held] = arguments
const real = window.fetch
const gate = new Promise((resolve) => { window.open_gate = resolve })
window.fetch = async (path, options) => {
  if (path === held) await gate
  return real(path, options)
}
"""
_TRANSFER = """
const transfer = new DataTransfer()
for (const [name, type, content] of arguments[0]) {
  const bytes = Uint8Array.from(atob(content), (each) => each.charCodeAt(0))
  transfer.items.add(new File([bytes], name, { type }))
}
"""
_DROP = """
for (const type of ['dragenter', 'dragover', 'drop']) {
  document.body.dispatchEvent(new DragEvent(type, { dataTransfer: transfer, bubbles: true }))
}
"""
_PASTE = """
document.dispatchEvent(new ClipboardEvent('paste', { clipboardData: transfer, bubbles: true }))
"""

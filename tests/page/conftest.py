"""A real browser before a real `matteline up`."""

from __future__ import annotations

import functools
import hashlib
import json
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import pytest
from selenium import webdriver
from selenium.webdriver.chrome.service import Service

from tests.conftest import ROOT
from tests.embedding_models import stock_embedder
from tests.face_models import stock_faces
from tests.models import Shelf, catalogue_row, slow, stock
from tests.page.faces import FILES, serving
from tests.page.finding import EMBEDDED, GUESTS, STAFF, collections
from tests.page.user import User, logged
from tests.pipeline.cli.terminal import Terminal, beside_up, users_environment

HERE: Final = Path(__file__).parent
_PLAIN: Final = {"test_files.py", "test_console_graph.py"}  # need no browser
_LONGEST_S: Final = 300  # a browser and a cloud share the machine's cores
_ROUNDS: Final = 12_000  # of a model that takes ten seconds and more
_SLOWER: Final = int(os.environ.get("MATTELINE_SLOW_BROWSER") or 1)  # times
_OPTIONS: Final = (
    "--headless=new",
    "--no-sandbox",  # the tests run as root, on pages of our own alone
    "--disable-gpu",
    "--hide-scrollbars",
    "--force-color-profile=srgb",
    "--font-render-hinting=none",
)
# Counts what the policy blocked. The browser runs it before the page's own modules.
_COUNT_VIOLATIONS: Final = """
window.blocked = []
document.addEventListener('securitypolicyviolation', (event) =>
  window.blocked.push(`${event.effectiveDirective} ${event.blockedURI}`))
"""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if item.path.is_relative_to(HERE) and item.path.name not in _PLAIN:
            item.add_marker("page")
            item.add_marker(pytest.mark.timeout(_LONGEST_S))


@pytest.fixture(scope="session")
def models(tmp_path_factory: pytest.TempPathFactory) -> Shelf:
    """The tests' models, one that the page knows by its purpose (Drafts), and `long`."""
    shelf = stock(tmp_path_factory.mktemp("shelf"))
    content = (shelf.folder / "brightness.onnx").read_bytes()
    (shelf.folder / "u2netp.onnx").write_bytes(content)
    long = slow(rounds=_ROUNDS).SerializeToString(deterministic=True)
    (shelf.folder / "long.onnx").write_bytes(long)
    with shelf.catalogue.open("a") as rows:
        rows.write(catalogue_row("long", hashlib.sha256(long).hexdigest()))
        rows.write(catalogue_row("u2netp", hashlib.sha256(content).hexdigest()))
        rows.write(stock_faces(shelf.folder, "face-api-ssd"))
        rows.write(stock_embedder(shelf.folder, "face-api-resnet34", "landmarks"))
    return shelf


@pytest.fixture(scope="session")
def up(models: Shelf, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Terminal]:
    environment = users_environment(models, tmp_path_factory.mktemp("cache"))
    with beside_up(ROOT, tmp_path_factory.mktemp("terminal"), environment) as terminal:
        yield terminal


@functools.cache
def chromium() -> str:
    found = shutil.which("chromium")
    assert found, "the tests of the page need Debian's `chromium` and `chromium-driver`"
    return found


def open_browser(profile: Path) -> webdriver.Chrome:
    options = webdriver.ChromeOptions()
    options.binary_location = chromium()
    for option in (*_OPTIONS, f"--user-data-dir={profile}"):
        options.add_argument(option)
    options.add_argument("--lang=en")
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    fonts = {**os.environ, "FONTCONFIG_FILE": str(HERE / "fonts.conf")}
    driver = webdriver.Chrome(options, Service(shutil.which("chromedriver"), env=fonts))
    command: Any = driver.execute_cdp_cmd
    command("Page.addScriptToEvaluateOnNewDocument", {"source": _COUNT_VIOLATIONS})
    command("Emulation.setCPUThrottlingRate", {"rate": _SLOWER})
    return driver


@pytest.fixture(scope="session")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[webdriver.Chrome]:
    driver = open_browser(tmp_path_factory.mktemp("profile"))
    yield driver
    driver.quit()


@pytest.fixture
def user(browser: webdriver.Chrome, up: Terminal, tmp_path: Path) -> Iterator[User]:
    """A user who opens the page for the first time. Afterwards: nothing was blocked or leaked."""
    user = User(browser, up.endpoint, tmp_path)
    user.begin()
    yield user
    user.be_online()
    blocked = browser.execute_script("return window.blocked")
    asked = [json.loads(entry["message"])["message"] for entry in logged(browser, "performance")]
    urls = [each["params"]["request"]["url"] for each in asked
            if each["method"] == "Network.requestWillBeSent"]  # fmt: skip
    assert blocked == []
    assert [url for url in urls if not url.startswith((up.endpoint, "blob:", "data:"))] == []
    errors = [entry for entry in logged(browser, "browser") if is_fault(entry)]
    assert errors == []


@pytest.fixture
def visitor(user: User) -> Iterator[User]:
    """A user of a deployment that finds faces; its files are those of a photo with three."""
    with serving(user, FILES):
        yield user


def is_fault(entry: dict[str, Any]) -> bool:
    """Return True for an error of the page's own; the browser also logs each refused request."""
    return entry["level"] == "SEVERE" and "Failed to load resource" not in entry["message"]


@pytest.fixture
def finder(user: User) -> Iterator[User]:
    """A user of a deployment that finds faces, and has two collections."""
    with serving(user, FILES | EMBEDDED), collections(user, [STAFF, GUESTS]):
        yield user

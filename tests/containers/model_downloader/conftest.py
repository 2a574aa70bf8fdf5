"""What the downloader's tests share: a web to fetch from, and a workbench to stage on."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterator
from pathlib import Path

import pytest

from pipeline.artifacts import ArtifactStore, LocalStore
from pipeline.workbench import Settings, TaskContext, Workbench
from tests.conftest import ROOT
from tests.containers.model_downloader.desks import NOTES, NOTES_MD5, Bench, Desk, Vault
from tests.containers.model_downloader.server import Page, Web, web_server
from tests.models import Shelf, catalogue_row


@pytest.fixture
def web() -> Iterator[Web]:
    with web_server() as server:
        yield server


@pytest.fixture
def other_web() -> Iterator[Web]:
    """Another host: what differs is the port."""
    with web_server() as server:
        yield server


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    (tmp_path / "scratch").mkdir()
    return Desk(tmp_path / "scratch", LocalStore(tmp_path / "store"), Vault())


@pytest.fixture
def store(tmp_path: Path) -> LocalStore:
    return LocalStore(tmp_path / "store")


@pytest.fixture
def bench(shelf: Shelf, store: LocalStore, tmp_path: Path) -> Bench:
    """A workbench whose catalogue has `rows` besides the shelf's."""

    def build(
        *rows: str,
        mirror: Path = shelf.folder,
        onto: ArtifactStore = store,
        ends_at: float = math.inf,
    ) -> TaskContext:
        more = tmp_path / "more.toml"
        more.write_text("\n".join(rows))
        (tmp_path / "scratch").mkdir(exist_ok=True)
        settings = Settings(
            catalogue_overlays=(shelf.catalogue, more),
            weights_mirror=str(mirror),
            scratch=tmp_path / "scratch",
        )
        workbench = Workbench(root=ROOT, settings=settings, store=onto)
        return TaskContext(workbench, ends_at=ends_at)

    return build


@pytest.fixture
def two_files(shelf: Shelf, tmp_path: Path) -> tuple[Path, str]:
    """A mirror with weights and a second file, and a row that wants both."""
    content = (shelf.folder / "brightness.onnx").read_bytes()
    (tmp_path / "mirror").mkdir()
    (tmp_path / "mirror" / "two.onnx").write_bytes(content)
    (tmp_path / "mirror" / "read me.txt").write_bytes(NOTES)
    row = catalogue_row("two", hashlib.sha256(content).hexdigest())
    second = f'[[models.files]]\nname = "read me.txt"\ndigest = "md5:{NOTES_MD5}"\n'
    return tmp_path / "mirror", row + second


@pytest.fixture
def published(web: Web, shelf: Shelf) -> tuple[Page, str]:
    """A page with the weights of `brightness`, and a row called `far` that names it."""
    content = (shelf.folder / "brightness.onnx").read_bytes()
    url = web.put("/far.onnx", content)
    row = catalogue_row("far", hashlib.sha256(content).hexdigest())
    return web.pages["/far.onnx"], f'{row}urls = ["{url}"]\n'

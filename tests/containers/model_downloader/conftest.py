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
from tests.containers.model_downloader.desks import Bench, Desk, Vault
from tests.containers.model_downloader.server import Page, Web, web_server
from tests.models import Shelf, catalogue_row
from tests.sam_models import stock_sam


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
def two_files(tmp_path: Path) -> tuple[Path, str]:
    """A mirror with a pair of networks, and a row that wants both."""
    mirror = tmp_path / "mirror"
    mirror.mkdir()
    row = stock_sam(mirror, "two")
    decoder = (mirror / "two.decoder.onnx").rename(mirror / "the decoder.onnx").read_bytes()
    md5 = hashlib.md5(decoder, usedforsecurity=False).hexdigest()
    row = row.replace("two.decoder", "the decoder")
    return mirror, row.replace(f"sha256:{hashlib.sha256(decoder).hexdigest()}", f"md5:{md5}")


@pytest.fixture
def published(web: Web, shelf: Shelf) -> tuple[Page, str]:
    """A page with the weights of `brightness`, and a row called `far` that names it."""
    content = (shelf.folder / "brightness.onnx").read_bytes()
    url = web.put("/far.onnx", content)
    row = catalogue_row("far", hashlib.sha256(content).hexdigest())
    return web.pages["/far.onnx"], f'{row}urls = ["{url}"]\n'

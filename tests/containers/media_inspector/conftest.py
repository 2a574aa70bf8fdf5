"""A catalogue of a few models, and a photo in a folder or in S3."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.artifacts import LocalStore
from pipeline.declared.catalogue import Catalogue
from tests.containers.media_inspector.inspecting import CAT, jpeg
from tests.models import HOSTED, catalogue_row, for_research, only
from tests.sam_models import stock_sam


@pytest.fixture
def catalogue(tmp_path: Path) -> Catalogue:
    rows = [
        catalogue_row("light", "1" * 64),
        catalogue_row("strong", "2" * 64, extra='fallback = "light"'),
        for_research(catalogue_row("lab", "3" * 64)),
        catalogue_row("leaning", "4" * 64, extra='fallback = "lab"'),
        stock_sam(tmp_path),
        HOSTED,
    ]
    return only(*rows, folder=tmp_path)


@pytest.fixture
def store(tmp_path: Path) -> LocalStore:
    store = LocalStore(tmp_path / "store")
    store.write(CAT, jpeg(), media_type="image/jpeg")
    return store

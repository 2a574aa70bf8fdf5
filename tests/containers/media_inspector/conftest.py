"""A catalogue of a few models, and a photo in a folder or in S3."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.artifacts import LocalStore
from pipeline.declared.models import Catalogue, load_catalogue
from tests.containers.media_inspector.inspecting import CAT, jpeg
from tests.models import HOSTED, catalogue_row, for_research
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
    (tmp_path / "models.toml").write_text("\n".join(rows))
    return load_catalogue(tmp_path, [tmp_path / "models.toml"])


@pytest.fixture
def store(tmp_path: Path) -> LocalStore:
    store = LocalStore(tmp_path / "store")
    store.write(CAT, jpeg(), media_type="image/jpeg")
    return store

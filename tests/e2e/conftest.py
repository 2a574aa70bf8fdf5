"""Provide the real weights that `make weights` keeps: these tests fetch nothing themselves."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from pipeline.declared.catalogue import load_catalogue
from pipeline.declared.models import ModelRow
from pipeline.session.choice import cache_folder
from tests.conftest import ROOT

# Says why there is no skipping: `.ci/run` has fetched the weights.
DEMANDED = "MATTELINE_DEMAND_WEIGHTS"


@pytest.fixture(scope="session")
def u2netp() -> ModelRow:
    return load_catalogue(ROOT).row("u2netp")


@pytest.fixture(scope="session")
def u2netp_weights(u2netp: ModelRow) -> Path:
    """Return the kept weights of u2netp."""
    path = cache_folder() / u2netp.weights_prefix / u2netp.files[0].name
    if not path.is_file():
        reason = f"there is no {path}; `make weights` fetches it"
        pytest.fail(reason) if os.environ.get(DEMANDED) else pytest.skip(reason)
    return path

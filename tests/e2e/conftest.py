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


def kept(model: str) -> Path:
    """Return the folder with the kept weights of a model; skip or fail if a file is missing."""
    row = load_catalogue(ROOT).row(model)
    folder = cache_folder() / row.weights_prefix
    for path in (folder / file.name for file in row.published):
        if not path.is_file():
            reason = f"there is no {path}; `make weights` fetches it"
            pytest.fail(reason) if os.environ.get(DEMANDED) else pytest.skip(reason)
    return folder


def recording(name: str) -> Path:
    """Return a recording of faster-whisper's tests; skip if the machine has none of them."""
    folder = os.environ.get("MATTELINE_RECORDINGS")
    if folder is None:
        pytest.skip("MATTELINE_RECORDINGS names no folder with jfk.flac and multilingual.mp3")
    return Path(folder) / name


@pytest.fixture(scope="session")
def u2netp() -> ModelRow:
    return load_catalogue(ROOT).row("u2netp")


@pytest.fixture(scope="session")
def u2netp_weights(u2netp: ModelRow) -> Path:
    """Return the kept weights of u2netp."""
    return kept("u2netp") / u2netp.files[0].name

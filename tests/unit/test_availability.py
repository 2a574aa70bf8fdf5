"""What cannot be had is told with where it was looked for, and without what opens it."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.catalogue import Catalogue, load_catalogue
from pipeline.errors import WeightsUnavailable
from pipeline.local.availability import require_model
from tests.models import Shelf, catalogue_row

NOBODY = "127.0.0.1:9"


@pytest.fixture
def catalogue(shelf: Shelf, tmp_path: Path) -> Catalogue:
    """With a row `signed`, whose address nobody answers at."""
    overlay = tmp_path / "models.toml"
    url = f'urls = ["https://ada:secret@{NOBODY}/w?signature=secret"]'
    overlay.write_text(f"{catalogue_row('signed', '0' * 64)}{url}\n")
    return load_catalogue(tmp_path, [shelf.catalogue, overlay])


def test_a_person_is_told_the_mirror_and_the_addresses_but_no_secret(catalogue: Catalogue) -> None:
    mirror = f"http://ada:secret@{NOBODY}/shelf"

    with pytest.raises(WeightsUnavailable) as failure:
        require_model(catalogue, "signed", mirror=mirror)

    places = f"http://{NOBODY}/shelf, https://{NOBODY}/w"
    assert failure.value.message == f"signed is not to be had from {places}"


def test_a_folder_that_is_a_mirror_is_told_as_it_was_given(
    catalogue: Catalogue, tmp_path: Path
) -> None:
    with pytest.raises(WeightsUnavailable) as failure:
        require_model(catalogue, "missing", mirror=str(tmp_path))

    assert failure.value.message == f"missing is not to be had from {tmp_path}"

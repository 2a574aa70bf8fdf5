"""Every model row can be deployed as a function, sold, and fallen back from."""

from __future__ import annotations

import hashlib
import tomllib
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

import pytest

from pipeline.contracts.cutout import CutoutOptions
from pipeline.declared.addresses import is_package
from pipeline.declared.catalogue import Catalogue, load_catalogue
from pipeline.declared.models import ModelRow
from tests.contracts.declared import ROOT

CATALOGUE: Final = load_catalogue(ROOT)
EACH = pytest.mark.parametrize("row", CATALOGUE.rows, ids=lambda row: row.name)
LAMBDA_MEMORY_MB: Final = range(128, 10_240 + 1)
LONGEST_FUNCTION_NAME: Final = 64
PROFILES: Final = tomllib.loads(
    (ROOT / "containers" / "media_inspector" / "profiles.toml").read_text(encoding="utf-8")
)["profiles"]
UNASKED: Final = {
    "starter",
    *CATALOGUE.defaults.values(),
    *(row["options"]["model"] for row in PROFILES),
}


def digest_of(url: str) -> str:
    """Of a file in the repository."""
    return f"sha256:{hashlib.sha256(Path(urlsplit(url).path).read_bytes()).hexdigest()}"


def ladder(row: ModelRow, catalogue: Catalogue) -> list[ModelRow]:
    """The row, its fallback, that one's fallback; a row that turns up again is the last."""
    steps = [row]
    while steps[-1].fallback and steps.count(steps[-1]) == 1:
        steps.append(catalogue.row(steps[-1].fallback))
    return steps


@pytest.mark.parametrize(
    "name",
    [
        "u2net",
        "u2netp",
        "u2net-human-seg",
        "silueta",
        "isnet-general-use",
        "isnet-anime",
        "birefnet-general",
        "birefnet-general-lite",
        "birefnet-portrait",
        "birefnet-dis",
        "birefnet-hrsod",
        "birefnet-cod",
        "birefnet-massive",
        "birefnet-matting",
        "birefnet-toonout",
        "birefnet-hr",
        "birefnet-hr-matting",
    ],
)
def test_the_models_people_count_on_are_there(name: str) -> None:
    assert CATALOGUE.row(name).name == name


@EACH
def test_a_model_either_may_be_sold_or_says_that_it_may_not(row: ModelRow) -> None:
    """SPDX writes `LicenseRef-` before terms that are no licence it knows."""
    forbidden = "NC" in row.licence.split("-") or row.licence.startswith("LicenseRef-")

    assert row.commercial != forbidden


@pytest.mark.parametrize("name", sorted(UNASKED))
def test_nobody_gets_a_non_commercial_model_unasked(name: str) -> None:
    steps = ladder(CATALOGUE.row(name), CATALOGUE)

    assert [step.name for step in steps if not step.commercial] == []


@EACH
def test_a_model_fits_into_a_function(row: ModelRow) -> None:
    assert row.memory_mb in LAMBDA_MEMORY_MB


@EACH
def test_falling_back_comes_to_an_end(row: ModelRow) -> None:
    steps = ladder(row, CATALOGUE)

    assert len({step.name for step in steps}) == len(steps)


@EACH
def test_a_fallback_never_needs_more_memory(row: ModelRow) -> None:
    """A hosted model's function has no network in its memory."""
    sizes = [step.memory_mb for step in ladder(row, CATALOGUE) if not step.hosted]

    assert sizes == sorted(sizes, reverse=True)


@EACH
def test_a_file_can_be_fetched_and_recognised(row: ModelRow) -> None:
    assert all(file.urls for file in row.files)
    for file in row.files:
        for url in file.urls:
            from_afar = url.startswith(("https://", "hf://")) or is_package(url)
            assert from_afar or digest_of(url) == file.digest


@EACH
def test_a_shipped_row_is_listed_in_a_group(row: ModelRow) -> None:
    assert row.suits in CATALOGUE.groups[row.container]


@pytest.mark.parametrize("container", CATALOGUE.groups)
def test_every_group_has_a_row(container: str) -> None:
    suited = {row.suits for row in CATALOGUE.rows_of(container)}

    assert set(CATALOGUE.groups[container]) == suited


@EACH
def test_a_measured_network_leaves_memory_for_a_photo(row: ModelRow) -> None:
    """1.3 GB for 100 megapixels, and a tenth."""
    measured = CATALOGUE.measured_of(row)

    assert measured is None or 1.1 * (measured.peak_mb + 1331) <= row.memory_mb


@pytest.mark.parametrize(
    "row", [row for row in CATALOGUE.rows if row.hosted], ids=lambda row: row.name
)
def test_a_hosted_row_says_when_it_ends_and_what_takes_over(row: ModelRow) -> None:
    assert row.lifecycle is not None
    assert row.fallback is not None
    assert not CATALOGUE.row(row.fallback).hosted


@pytest.mark.parametrize(
    ("name", "activation"), [("birefnet-matting", "sigmoid"), ("birefnet-toonout", "none")]
)
def test_a_birefnet_that_no_peer_has_is_prepared_as_birefnet_general(
    name: str, activation: str
) -> None:
    """Toonout's export ends with the sigmoid itself."""
    general = CATALOGUE.row("birefnet-general").table

    assert CATALOGUE.row(name).table == {**general, "activation": activation}


@EACH
def test_a_package_is_not_a_files_only_source(row: ModelRow) -> None:
    """A function on AWS fetches none."""
    for file in row.files:
        assert not all(is_package(url) for url in file.urls)


@EACH
def test_a_function_name_fits_into_lambda(row: ModelRow) -> None:
    assert len(f"matteline-local-background-remover-{row.name}") <= LONGEST_FUNCTION_NAME


def test_rows_have_names_of_their_own() -> None:
    files = (ROOT / "containers").glob("*/models.toml")
    rows = [row for path in files for row in tomllib.loads(path.read_text())["models"]]

    assert len(rows) == len(CATALOGUE.rows)


def test_profiles_ask_for_what_exists() -> None:
    asked = [
        CutoutOptions.model_validate({"model": "u2netp", **row["options"]}) for row in PROFILES
    ]

    assert [CATALOGUE.row(options.model).name for options in asked] == [
        options.model for options in asked
    ]
    assert len({row["prefix"] for row in PROFILES}) == len(PROFILES)

"""Overlays: a user's own rows, and which container each of them belongs to."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Final

import pytest
from pydantic import ValidationError

from pipeline.declared.catalogue import Catalogue, load_catalogue
from pipeline.declared.costs import Measured
from pipeline.declared.models import Lifecycle, WeightsFile
from pipeline.declared.revisions import weights_prefix

CUTTER: Final = """
default = "coarse"

[engines.shears]
files = [{ role = "blades" }]
fields.length = { type = "integer" }

[engines.laser]
hosted = "{model_id}"
fields.model_id = { type = "text" }

[[models]]
name = "coarse"
summary = "For tests."
engine = "shears"
licence = "MIT"
commercial = true
memory_mb = 512
shears = { length = 1 }
files = [{ name = "coarse.bin", digest = "md5:00000000000000000000000000000000" }]
"""
SINGER: Final = CUTTER.replace("laser", "choir").replace("coarse", "alto")
OWN: Final = CUTTER.partition("[[models]]")[2]


def row(name: str, *, engine: str = "laser", stated: str = "", memory_mb: int = 512) -> str:
    """A row of an overlay; `stated` is the container that it says."""
    own = f'container = "{stated}"' if stated else ""
    files = 'files = [{ name = "f", digest = "md5:00000000000000000000000000000000" }]'
    table = "{ length = 2 }" if engine == "shears" else '{ model_id = "m" }'
    return f"""
[[models]]
name = "{name}"
summary = "For tests."
engine = "{engine}"
licence = "MIT"
commercial = true
memory_mb = {memory_mb}
{own}
{engine} = {table}
{files if engine == "shears" else ""}
"""


@pytest.fixture
def root(tmp_path: Path) -> Path:
    for folder, models in {"paper_cutter": CUTTER, "choir_singer": SINGER}.items():
        (tmp_path / "containers" / folder).mkdir(parents=True)
        (tmp_path / "containers" / folder / "models.toml").write_text(models)
    return tmp_path


def overlaid(root: Path, *rows: str, container: str | None = None) -> Catalogue:
    (root / "own.toml").write_text("".join(rows))
    return load_catalogue(root, [root / "own.toml"], container=container)


def names(catalogue: Catalogue, container: str) -> list[str]:
    return [row.name for row in catalogue.rows_of(container)]


def test_an_added_row_is_of_the_only_container_that_has_its_engine(root: Path) -> None:
    catalogue = overlaid(root, row("red"), row("hum", engine="choir"))

    assert names(catalogue, "paper-cutter") == ["coarse", "red"]
    assert names(catalogue, "choir-singer") == ["alto", "hum"]


def test_a_row_of_the_same_name_takes_the_place_of_the_shipped_one(root: Path) -> None:
    catalogue = overlaid(
        root, row("alto", engine="shears", memory_mb=1024), row("hum", engine="choir")
    )

    assert names(catalogue, "choir-singer") == ["alto", "hum"]
    assert catalogue.row("alto").memory_mb == 1024


def test_of_an_engine_that_two_containers_have_a_row_says_which(root: Path) -> None:
    catalogue = overlaid(root, row("fine", engine="shears", stated="choir-singer"))

    assert names(catalogue, "choir-singer") == ["alto", "fine"]
    says = (
        r'own\.toml: fine: choir-singer and paper-cutter have an engine shears; .* container = "c'
    )
    with pytest.raises(ValueError, match=says):
        overlaid(root, row("fine", engine="shears"))


@pytest.mark.parametrize(
    ("added", "says"),
    [
        (
            row("new", engine="oracle"),
            "new: no container has an engine oracle; choir-singer has sh",
        ),
        (row("new", stated="nobody"), "new: no container with models is called nobody"),
        (row("new", stated="choir-singer"), "new: choir-singer has no engine laser, but shears, c"),
        (row("coarse", engine="choir"), "coarse: paper-cutter has no engine choir"),
        ('default = "coarse"\n', r"(?m)^default\n  Extra inputs"),
        ("[engines.knife]\n", r"(?m)^engines\n  Extra inputs"),
    ],
)
def test_an_overlay_that_fits_nowhere_is_refused(root: Path, added: str, says: str) -> None:
    with pytest.raises(ValueError, match=says):
        overlaid(root, added)


def test_a_default_that_an_overlay_moves_away_is_refused(root: Path) -> None:
    with pytest.raises(ValueError, match="choir-singer has no row called alto, which is its def"):
        overlaid(root, row("alto", engine="shears", stated="paper-cutter"))


def test_one_container_has_its_own_rows_out_of_the_same_overlay(root: Path) -> None:
    rows = (
        row("red"),
        row("hum", engine="choir"),
        row("x", engine="shears", stated="choir-singer"),
    )
    (root / "containers" / "choir_singer" / "models.toml").unlink()  # as in the other's image

    catalogue = overlaid(root, *rows, container="paper-cutter")

    assert [row.name for row in catalogue.rows] == ["coarse", "red"]


def test_a_catalogue_of_one_container_knows_no_model_of_another(root: Path) -> None:
    own = load_catalogue(root).of("paper-cutter")

    assert [row.name for row in own.rows] == ["coarse"]


def test_a_hosted_row_names_the_model_that_its_function_invokes(root: Path) -> None:
    catalogue = overlaid(root, row("red"))

    assert (catalogue.row("red").hosted, catalogue.row("red").hosted_model) == (True, "m")
    assert (catalogue.row("coarse").hosted, catalogue.row("coarse").hosted_model) == (False, None)


@pytest.mark.parametrize(
    ("field", "says"),
    [
        ('suits = "cloth"', "red: there is no group cloth, but "),
        ('measured = "blade"', "red: nothing measured is called blade, but "),
    ],
)
def test_a_row_names_only_what_its_container_declares(root: Path, field: str, says: str) -> None:
    with pytest.raises(ValueError, match=says):
        overlaid(
            root,
            row("red", engine="shears", stated="paper-cutter").replace(
                "memory_mb", f"{field}\nmemory_mb"
            ),
        )


def test_a_row_has_the_group_and_the_figures_that_it_names(root: Path) -> None:
    models = root / "containers" / "paper_cutter" / "models.toml"
    declared = '[groups]\ncloth = "Cloth"\n\n[measured]\nblade = { seconds = 2, peak_mb = 9 }\n'
    models.write_text(
        models.read_text().replace("[engines.shears]", f"{declared}\n[engines.shears]")
    )

    named = 'suits = "cloth"\nmeasured = "blade"\nmemory_mb'
    catalogue = overlaid(
        root, row("red", engine="shears", stated="paper-cutter").replace("memory_mb", named)
    )

    assert catalogue.row("red").suits == "cloth"
    assert catalogue.measured_of(catalogue.row("red")) == Measured(seconds=2, peak_mb=9)
    assert catalogue.measured_of(catalogue.row("coarse")) is None


def test_only_a_hosted_model_ends(root: Path) -> None:
    lifecycle = "lifecycle = { read = 2026-11-29, ends = 2027-11-29 }\nmemory_mb"

    hosted = overlaid(root, row("red").replace("memory_mb", lifecycle)).row("red").lifecycle
    assert hosted == Lifecycle(read=date(2026, 11, 29), ends=date(2027, 11, 29))
    with pytest.raises(ValueError, match="only a hosted model has a lifecycle"):
        overlaid(
            root, row("red", engine="shears", stated="paper-cutter").replace("memory_mb", lifecycle)
        )


def test_a_file_without_a_digest_comes_from_its_publisher_alone() -> None:
    def unstated(*urls: str) -> WeightsFile:
        return WeightsFile.model_validate({"name": "w.onnx", "urls": urls, "digest": "unstated"})

    file = unstated("https://one.test/w.onnx", "hf://one/two@main/w.onnx")

    assert (file.digest, file.stated) == (None, None)
    assert not file.refuses({"md5": "0", "sha256": "0"})
    for urls in ((), ("http://one.test/w",), ("https://one.test/w", "s3://one/w"), ("file:w",)):
        with pytest.raises(ValidationError, match="needs addresses that are https:// or hf://"):
            unstated(*urls)


def test_only_what_an_engine_declares_as_a_network_is_converted(root: Path) -> None:
    blades = row("red", engine="shears", stated="paper-cutter")
    converted = blades.replace('name = "f"', 'name = "f", convert = "ge2e"')

    with pytest.raises(ValueError, match="f is no network, so nothing can be converted to one"):
        overlaid(root, converted)


def test_another_publisher_or_a_stated_digest_has_weights_of_its_own() -> None:
    digests = {"digest": "unstated"}, {"digest": "unstated"}, {"digest": f"md5:{'0' * 32}"}
    urls = ("https://one.test/w",), ("https://two.test/w",), ("https://one.test/w",)
    files = [
        WeightsFile.model_validate({"name": "w", "urls": url, **digest})
        for url, digest in zip(urls, digests, strict=True)
    ]

    assert len({weights_prefix("m", [file.identity], None) for file in files}) == len(files)


def test_a_second_costs_the_memory_and_a_small_function_has_fewer_cpus() -> None:
    measured = Measured(seconds=10, peak_mb=100)

    assert measured.seconds_with(1769) == 20
    assert measured.seconds_with(2 * 1769) == measured.seconds_with(10_240) == 10
    assert measured.dollars_per_1000(4096) == pytest.approx(0.6667, rel=1e-3)

"""A non-commercial licence is accepted by name, on the command line or in the environment."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.models import Shelf
from tests.pictures import png, square
from tests.pipeline.cli.conftest import Matteline

LICENCE = "CC-BY-NC-4.0"


@pytest.fixture
def photo(tmp_path: Path) -> str:
    (tmp_path / "cat.png").write_bytes(png(square()))
    return str(tmp_path / "cat.png")


@pytest.mark.parametrize("accepted", [(), ("--accept-licence", "CC-BY-NC-3.0")])
def test_a_command_that_accepts_nothing_of_the_kind_is_wrong(
    matteline: Matteline, photo: str, tmp_path: Path, accepted: tuple[str, ...]
) -> None:
    done = matteline("run", photo, "-o", str(tmp_path / "out"), "--model", "research", *accepted)

    assert done.returncode == 2
    assert f"LicenseNotAccepted: the weights of research are under {LICENCE}" in done.stderr
    assert "--accept-licence" in done.stderr
    assert "Traceback" not in done.stderr


def test_an_accepted_licence_reaches_every_container(
    matteline: Matteline, photo: str, tmp_path: Path
) -> None:
    accepted = ("--accept-licence", LICENCE)

    done = matteline("run", photo, "-o", str(tmp_path / "out"), "--model", "research", *accepted)

    assert done.returncode == 0, done.stdout + done.stderr
    assert (tmp_path / "out" / "cat_bg_removed.png").exists()


def test_the_list_says_which_models_wait_for_that(matteline: Matteline) -> None:
    refused = matteline("models", "list")
    accepted = matteline("models", "list", MATTELINE_ACCEPTED_LICENCES=f"MIT {LICENCE}")

    waiting = [line for line in refused.stdout.splitlines() if "licence not accepted" in line]
    assert [line.split()[0] for line in waiting] == ["research"]
    assert "licence not accepted" not in accepted.stdout


def test_a_model_nobody_accepted_is_never_chosen(
    matteline: Matteline, shelf: Shelf, photo: str, tmp_path: Path
) -> None:
    (tmp_path / "mirror").mkdir()
    (tmp_path / "mirror" / "research.onnx").symlink_to(shelf.folder / "research.onnx")
    unreachable = tmp_path / "models.toml"
    row = shelf.catalogue.read_text().split("[[models]]")[1].replace("brightness", "u2netp")
    unreachable.write_text(f"[[models]]{row}")
    catalogue = f"{shelf.catalogue}:{unreachable}"
    out = str(tmp_path / "out")

    done = matteline(
        "run", photo, "-o", out,
        MATTELINE_WEIGHTS_MIRROR=str(tmp_path / "mirror"), MATTELINE_CATALOGUE=catalogue,
    )  # fmt: skip

    assert "Model: starter" in done.stdout

"""Without a model name, the session uses an available published model, else the starter."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.declared.catalogue import Catalogue, load_catalogue
from pipeline.errors import ModelNotOffered
from pipeline.session.availability import Reach
from pipeline.session.choosing import choose_model, stageable_row
from pipeline.session.packages import Packages
from tests.conftest import ROOT

STARTER = "starter.onnx"


@pytest.fixture(scope="module")
def catalogue() -> Catalogue:
    """Return the shipped catalogue, on a machine that reaches only its own files."""
    shipped = load_catalogue(ROOT)
    rows = tuple(
        row.model_copy(
            update={
                "files": tuple(
                    file.model_copy(
                        update={"urls": tuple(url for url in file.urls if url.startswith("file:"))}
                    )
                    for file in row.files
                )
            }
        )
        for row in shipped.rows
    )
    return shipped.model_copy(update={"rows": rows})


@pytest.mark.parametrize(
    ("held", "chosen"),
    [
        ([], "starter"),
        ([STARTER], "starter"),
        ([STARTER, "silueta.onnx"], "silueta"),
        ([STARTER, "silueta.onnx", "u2netp.onnx"], "u2netp"),
        (["sam_vit_b_01ec64.encoder.onnx", "sam_vit_b_01ec64.decoder.onnx"], "starter"),
    ],
)
def test_an_available_published_model_comes_before_the_starter(
    catalogue: Catalogue, tmp_path: Path, held: list[str], chosen: str
) -> None:
    for name in held:
        (tmp_path / name).touch()

    reach = Reach(str(tmp_path), Packages(tmp_path, say=lambda _: None))

    model = choose_model(catalogue, "background-remover", reach)

    assert model.name == chosen
    assert ("from the repository" in model.why) == (chosen == "starter")


def test_the_refusal_of_a_hosted_model_names_one_that_runs_here(catalogue: Catalogue) -> None:
    with pytest.raises(ModelNotOffered, match="cannot reach; use birefnet-general-lite here"):
        stageable_row(catalogue, "stability-remove-background")

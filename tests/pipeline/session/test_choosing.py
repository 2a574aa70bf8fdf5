"""Without a model name, the session uses an available published model, else the starter."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.declared.addresses import is_package
from pipeline.declared.catalogue import Catalogue, load_catalogue
from pipeline.declared.products import Role
from pipeline.errors import ModelNotOffered, UnknownModel, WeightsUnavailable
from pipeline.session.availability import Reach
from pipeline.session.choosing import (
    ChosenModel,
    choose_model,
    choose_models,
    choose_other_models,
    require_models,
    stageable_row,
)
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


@pytest.fixture
def reach(tmp_path: Path) -> Reach:
    """Return what a machine without a network reaches."""
    return Reach(str(tmp_path), Packages(tmp_path, say=pytest.fail))


def test_a_run_of_photos_chooses_no_model_of_recordings(catalogue: Catalogue, reach: Reach) -> None:
    (chosen,) = choose_models(catalogue, None, {"background-remover"}, reach)

    assert (chosen.name, chosen.missing) == ("starter", "")


def test_a_named_model_is_chosen_next_to_those_that_are_needed(
    catalogue: Catalogue, reach: Reach, tmp_path: Path
) -> None:
    (tmp_path / "silueta.onnx").touch()

    chosen = choose_models(catalogue, "silueta", {"audio-reader"}, reach)

    assert {model.name for model in chosen} == {"silueta", "silero-vad"}


def test_a_default_that_no_source_has_is_missing_and_says_so(
    catalogue: Catalogue, reach: Reach
) -> None:
    model = choose_model(catalogue, "transcriber", reach)

    assert model.name == "whisper-base"
    assert model.missing.startswith("WeightsUnavailable: no source has the weights of whisper-base")
    assert model.why.startswith("jobs that need it will fail: ")


def test_a_default_that_the_user_asked_for_and_no_source_has_ends_the_command(
    catalogue: Catalogue, reach: Reach
) -> None:
    with pytest.raises(WeightsUnavailable, match="no source has the weights of efficientat-mn10"):
        choose_models(catalogue, None, {"audio-tagger"}, reach, asked={"audio-tagger"})


def test_a_model_that_an_option_names_fits_its_role_and_is_available(
    catalogue: Catalogue, reach: Reach
) -> None:
    roles = {"align": Role(container="transcriber", engine="ctc", option="align")}

    with pytest.raises(UnknownModel, match="whisper-base is for another task; there are wav2vec2"):
        require_models(catalogue, {"align": "whisper-base"}, roles, reach)
    with pytest.raises(WeightsUnavailable, match="no source has the weights of wav2vec2"):
        require_models(catalogue, {"align": "wav2vec2-base-960h"}, roles, reach)


def test_other_models_are_chosen_without_fetching_packages(reach: Reach) -> None:
    shipped = load_catalogue(ROOT)
    rows = tuple(
        row.model_copy(
            update={
                "files": tuple(
                    file.model_copy(
                        update={"urls": tuple(url for url in file.urls if is_package(url))}
                    )
                    for file in row.files
                )
            }
        )
        for row in shipped.rows
    )
    packaged = shipped.model_copy(update={"rows": rows})

    others = choose_other_models(packaged, [ChosenModel("starter", "")], reach)

    available = {model.name for model in others if not model.missing}
    assert available >= {"silero-vad", "deepfilternet3", "whisper-base"}

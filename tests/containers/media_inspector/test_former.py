"""A state machine of the release before products still gets the answer it reads."""

from __future__ import annotations

import pytest

from containers.media_inspector.former import as_photo_inspected
from containers.media_inspector.inspection import inspect
from pipeline.artifacts import LocalStore
from pipeline.contracts.contract import Inspected
from pipeline.contracts.cutout import InspectPhoto, PhotoInspected
from pipeline.declared.catalogue import Catalogue
from pipeline.declared.products import load_products
from tests.conftest import ROOT
from tests.containers.media_inspector.inspecting import CAT


def test_the_former_question_gets_the_former_answer(
    store: LocalStore, catalogue: Catalogue
) -> None:
    asked = InspectPhoto(
        schema_version=1,
        input={"bucket": CAT.bucket, "key": CAT.key, "options": {"crop": True}},
        execution="run-1",
        default_model="light",
        lease_s=600,
    )

    answer = inspect(asked, store, catalogue, load_products(ROOT), ())

    assert isinstance(answer, PhotoInspected)
    assert answer.job.manifest_key == "trips/cat_bg_removed.json"
    assert (answer.job.options.crop, answer.plan.model) == (True, "light")
    assert answer.plan.weights_key == catalogue.row("light").weights_key


def test_no_other_product_has_a_former_answer() -> None:
    with pytest.raises(TypeError, match="accepts only cutouts; the answer is a Inspected"):
        as_photo_inspected(Inspected.model_construct())  # type: ignore[call-arg]

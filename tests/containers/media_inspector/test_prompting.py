"""Prompts go to models that take them, in pixels of the photo, and are part of the job."""

from __future__ import annotations

from typing import Any

import pytest

from pipeline.artifacts import LocalStore
from pipeline.declared.catalogue import Catalogue
from pipeline.errors import InvalidOptions, InvalidPrompt, PipelineError
from pipeline.photo.prompts import Point, SubjectPrompt
from tests.containers.media_inspector.inspecting import inspect

MIDDLE = [{"points": [{"x": 0.5, "y": 0.5}]}]


def shown(prompts: Any, model: str = "pointer", **more: Any) -> dict[str, Any]:
    return {"model": model, "prompts": prompts, **more}


def test_prompts_are_pixels_of_the_upright_photo(store: LocalStore, catalogue: Catalogue) -> None:
    job = inspect(store, catalogue, options=shown(MIDDLE)).job

    assert (job.source.width, job.source.height) == (30, 40)
    assert job.options.prompts == (SubjectPrompt(points=(Point(x=15, y=20),)),)


def test_prompts_are_part_of_the_job_and_one_place_has_one_spelling(
    store: LocalStore, catalogue: Catalogue
) -> None:
    said = [
        MIDDLE,
        [{"points": [{"x": 15, "y": 20, "label": 1}]}],
        [{"points": [{"x": 15, "y": 21}]}],
        [*MIDDLE, *MIDDLE],
    ]

    jobs = [inspect(store, catalogue, options=shown(one)).job.job_id for one in said]

    assert jobs[0] == jobs[1]
    assert len(set(jobs)) == 3


def test_a_photo_is_inspected_before_its_prompts_are_known(
    store: LocalStore, catalogue: Catalogue
) -> None:
    """A selection's machine plans the model that the clicks are for."""
    inspected = inspect(store, catalogue, options={"model": "pointer"}, prompts_follow=True)

    assert inspected.job.options.prompts == ()
    assert inspected.plan.mask.model == "pointer"


@pytest.mark.parametrize("options", [{}, {"model": "light"}])
def test_prompts_that_follow_need_a_model_that_takes_them(
    store: LocalStore, catalogue: Catalogue, options: dict[str, Any]
) -> None:
    with pytest.raises(InvalidPrompt, match="light takes no points or boxes; models that do"):
        inspect(store, catalogue, options=options, prompts_follow=True)


UNFIT: dict[str, tuple[dict[str, Any], type[PipelineError], str]] = {
    "none for a model that needs them": (
        shown([]),
        InvalidPrompt,
        'pointer has to be shown its subject: set prompts, for one in the middle [{"points": [{"x',
    ),
    "some for a model that takes none": (
        shown(MIDDLE, "light"),
        InvalidPrompt,
        "light takes no points or boxes; models that do: pointer",
    ),
    "out of the photo as it was taken, not as it is stored": (
        shown([{"points": [{"x": 35, "y": 20}]}]),
        InvalidPrompt,
        "subject 1: point 1 at 35,20 is outside the photo: x goes from 0 to 30",
    ),
    "of another shape": (
        shown([{"dots": []}]),
        InvalidOptions,
        "options: prompts.0.dots: there is no such field",
    ),
    "no list": (shown({"x": 1, "y": 2}), InvalidOptions, "options: prompts: "),
}


@pytest.mark.parametrize("name", UNFIT)
def test_prompts_that_do_not_fit_are_refused(
    store: LocalStore, catalogue: Catalogue, name: str
) -> None:
    options, error, says = UNFIT[name]

    with pytest.raises(error) as refusal:
        inspect(store, catalogue, options=options)

    assert refusal.value.message.startswith(says)


def test_a_model_that_needs_prompts_is_told_what_they_may_be(
    store: LocalStore, catalogue: Catalogue
) -> None:
    with pytest.raises(InvalidPrompt) as refusal:
        inspect(store, catalogue, options=shown([]))

    assert refusal.value.message.endswith(
        '[{"points": [{"x": 15, "y": 20}]}]; x goes from 0 to 30 and y from 0 to 40 pixels'
    )


def test_a_hosted_model_is_planned_without_weights(store: LocalStore, catalogue: Catalogue) -> None:
    plan = inspect(store, catalogue, options={"model": "hosted"}).plan.mask

    assert (plan.model, plan.weights_key) == ("hosted", None)

"""Where models run: in a function, in a job of AWS Batch, or in one after the other."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import pytest

from containers.media_inspector.planning import planned
from pipeline.artifacts import LocalStore
from pipeline.compute import BatchMachines
from pipeline.contracts.contract import InspectMedia, PlannedModel
from pipeline.contracts.cutout import CutoutOptions
from pipeline.declared.catalogue import Catalogue
from pipeline.declared.products import Role
from pipeline.errors import BatchNotEnabled, InvalidOptions
from tests.containers.media_inspector.inspecting import inspect
from tests.models import HOSTED, catalogue_row, only

MASK: Final = Role(container="background-remover", option="model", batch=True)
ON_LAMBDA: Final = MASK.model_copy(update={"batch": False})
Way = tuple[str, str, bool]


@pytest.fixture
def catalogue(tmp_path: Path) -> Catalogue:
    return only(
        catalogue_row("light", "1" * 64),
        catalogue_row("strong", "2" * 64, extra='fallback = "light"'),
        catalogue_row("vast", "3" * 64, extra='compute = "batch"\nfallback = "light"'),
        HOSTED,
        folder=tmp_path,
    )


def ways(
    catalogue: Catalogue,
    model: str,
    *,
    batch: BatchMachines = "cpu",
    role: Role = MASK,
    prompts_follow: bool = False,
    **options: Any,
) -> list[Way]:
    """Model, place and degraded of what is tried first, and of each fallback after it."""
    task = InspectMedia(
        schema_version=1,
        product="cutout",
        input={},
        execution="run-1",
        default_models={},
        ingest_bucket=None,
        lease_s=600,
        batch=batch,
        prompts_follow=prompts_follow,
    )
    asked = CutoutOptions.model_validate({"model": model, **options})
    return [
        (way.model, way.compute, way.degraded)
        for way in _chain(planned(role, task, None, asked, catalogue))
    ]


def _chain(plan: PlannedModel | None) -> Iterator[PlannedModel]:
    while plan:
        yield plan
        plan = plan.fallback


@pytest.mark.parametrize(
    ("batch", "compute", "expected"),
    [
        ("off", "auto", ["lambda"]),
        ("off", "lambda", ["lambda"]),
        ("cpu", "auto", ["lambda", "batch"]),
        ("gpu", "auto", ["lambda", "batch"]),
        ("cpu", "lambda", ["lambda"]),
        ("cpu", "batch", ["batch"]),
    ],
)
def test_a_job_follows_the_function_where_nobody_says_otherwise(
    catalogue: Catalogue, batch: BatchMachines, compute: str, expected: list[str]
) -> None:
    """The same model is no worse in a job: it is not degraded, and needs no permission."""
    assert ways(catalogue, "light", batch=batch, compute=compute) == [
        ("light", place, False) for place in expected
    ]


@pytest.mark.parametrize(
    ("compute", "expected"),
    [
        (
            "auto",
            [
                ("strong", "lambda", False),
                ("strong", "batch", False),
                ("light", "lambda", True),
                ("light", "batch", True),
            ],
        ),
        ("lambda", [("strong", "lambda", False), ("light", "lambda", True)]),
        ("batch", [("strong", "batch", False), ("light", "batch", True)]),
    ],
)
def test_a_lighter_model_comes_after_every_way_to_run_the_planned_one(
    catalogue: Catalogue, compute: str, expected: list[Way]
) -> None:
    assert ways(catalogue, "strong", compute=compute, allow_fallback=True) == expected


@pytest.mark.parametrize("compute", ["auto", "batch"])
def test_a_row_for_batch_runs_there(catalogue: Catalogue, compute: str) -> None:
    assert ways(catalogue, "vast", compute=compute) == [("vast", "batch", False)]


def test_a_row_for_batch_may_have_a_fallback_with_a_function(catalogue: Catalogue) -> None:
    assert ways(catalogue, "vast", allow_fallback=True)[:2] == [
        ("vast", "batch", False),
        ("light", "lambda", True),
    ]


@pytest.mark.parametrize(
    ("model", "compute", "said"),
    [("vast", "auto", "vast needs"), ("light", "batch", "compute batch needs")],
)
def test_a_stage_without_batch_refuses_what_needs_it(
    catalogue: Catalogue, model: str, compute: str, said: str
) -> None:
    with pytest.raises(BatchNotEnabled, match=said):
        ways(catalogue, model, batch="off", compute=compute)


def test_a_row_for_batch_contradicts_the_option(catalogue: Catalogue) -> None:
    with pytest.raises(InvalidOptions, match="vast runs on AWS Batch alone, and compute is lambda"):
        ways(catalogue, "vast", compute="lambda")


def test_a_hosted_model_has_no_job(catalogue: Catalogue) -> None:
    assert ways(catalogue, "hosted") == [("hosted", "lambda", False)]
    with pytest.raises(InvalidOptions, match="hosted and called by a function"):
        ways(catalogue, "hosted", compute="batch")


@pytest.mark.parametrize("compute", ["auto", "lambda", "batch"])
@pytest.mark.parametrize(
    ("role", "prompts_follow"), [(ON_LAMBDA, False), (MASK, True)], ids=["small", "clicks"]
)
def test_a_task_without_jobs_ignores_the_option(
    catalogue: Catalogue, compute: str, role: Role, *, prompts_follow: bool
) -> None:
    found = ways(catalogue, "light", role=role, prompts_follow=prompts_follow, compute=compute)

    assert found == [("light", "lambda", False)]


@pytest.mark.parametrize(
    ("role", "prompts_follow"), [(ON_LAMBDA, False), (MASK, True)], ids=["small", "clicks"]
)
def test_a_task_without_jobs_refuses_a_row_for_batch(
    catalogue: Catalogue, role: Role, *, prompts_follow: bool
) -> None:
    with pytest.raises(InvalidOptions, match="vast runs on AWS Batch alone, and this task"):
        ways(catalogue, "vast", role=role, prompts_follow=prompts_follow)


def test_where_a_model_runs_is_no_part_of_the_job(store: LocalStore, catalogue: Catalogue) -> None:
    jobs = [
        inspect(store, catalogue, batch="cpu", options={"compute": compute}).job
        for compute in ("auto", "batch", "lambda")
    ]

    assert len({job.job_id for job in jobs}) == 1


def test_a_job_has_the_lane_of_its_request(store: LocalStore, catalogue: Catalogue) -> None:
    assert inspect(store, catalogue).job.lane == "uploads"
    assert inspect(store, catalogue, lane="backfill").job.lane == "backfill"


def test_a_lane_is_one_of_two(store: LocalStore, catalogue: Catalogue) -> None:
    with pytest.raises(InvalidOptions, match="lane"):
        inspect(store, catalogue, lane="express")

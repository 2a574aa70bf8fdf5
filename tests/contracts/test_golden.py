"""Every function has a golden event that is a valid job for it."""

from __future__ import annotations

import functools
import operator

import pytest
from aws_lambda_powertools.utilities.parser.models import APIGatewayProxyEventV2Model
from pydantic import TypeAdapter

from pipeline.contracts.contract import Job
from pipeline.declared.blueprint import Blueprint, DeclaredFunction
from pipeline.declared.containers import ContainerManifest
from pipeline.errors import PipelineError, leaf_names
from pipeline.golden import Golden, Run
from pipeline.local.deployment import NAMES
from tests.contracts.declared import ROOT, declared_contracts, facts_of

BLUEPRINT = Blueprint.read(ROOT, defaults=("starter",))
EACH = pytest.mark.parametrize("function", BLUEPRINT.functions, ids=lambda each: each.name(NAMES))


def golden_of(function: DeclaredFunction) -> Golden:
    run = Run("work", "smoke/d-1/function", models_bucket="models", row=facts_of(function.row))
    folder = ROOT / "containers" / function.manifest.folder
    return Golden.prepare(folder, run, lambda _bucket, _key, _content: "etag")


def jobs_of(container: ContainerManifest) -> TypeAdapter[Job]:
    """The contracts that the manifest names."""
    declared = declared_contracts(Job)
    jobs = [declared[name] for name in (container.job, *container.other_jobs) if name]
    return TypeAdapter(functools.reduce(operator.or_, jobs))


@EACH
def test_its_payload_is_a_job_or_a_request(function: DeclaredFunction) -> None:
    manifest = function.manifest
    kind = TypeAdapter(APIGatewayProxyEventV2Model) if manifest.serves else jobs_of(manifest)

    kind.validate_python(golden_of(function).payload)


@EACH
def test_it_expects_something_and_declines_with_errors_that_exist(
    function: DeclaredFunction,
) -> None:
    golden = golden_of(function)

    assert golden.expect
    assert golden.untried.keys() <= leaf_names(PipelineError)


@EACH
def test_a_model_that_takes_prompts_gets_one(function: DeclaredFunction) -> None:
    prompts = golden_of(function).payload.get("prompts", [])

    assert bool(prompts) == bool(function.row and function.row.takes_prompts)


@pytest.mark.parametrize("container", BLUEPRINT.containers, ids=lambda each: each.name)
def test_a_container_may_read_its_golden_inputs(container: ContainerManifest) -> None:
    files = {path.name for path in (ROOT / "containers" / container.folder / "golden").iterdir()}
    reads = {
        key
        for access in container.access
        if access.bucket == "work" and "read" in access.actions
        for key in access.keys
    }

    assert files == {"golden.toml"} or "smoke/*" in reads

"""A function has the settings of its container's manifest and its model's row."""

from __future__ import annotations

from typing import Any, Final

import aws_cdk as cdk
import pytest
from aws_cdk.assertions import Template

from infra.app import ROOT
from infra.function_stack import FunctionStack
from infra.settings import ApiSettings
from pipeline.declared.blueprint import Blueprint, DeclaredFunction
from pipeline.declared.names import Names
from tests.infra.cloudformation import deploy
from tests.infra.conftest import Templates

BLUEPRINT: Final = Blueprint.read(ROOT)
NAMES: Final = Names("matteline-dev", account="123456789012", region="eu-central-1")
EACH = pytest.mark.parametrize("declared", BLUEPRINT.functions, ids=lambda one: one.name(NAMES))


def function(templates: Templates, declared: DeclaredFunction) -> dict[str, Any]:
    template = templates[f"matteline-dev-functions-{declared.manifest.name}"]
    stack = deploy(template, ImageDigestHex="ab" * 32, ReleaseVersion="1.3.0")
    return stack.one("Lambda::Function", FunctionName=declared.name(NAMES)).properties


def test_there_is_a_function_for_each_container_and_each_model_row(templates: Templates) -> None:
    counted = {
        name: len(deploy(template, ImageDigestHex="ab" * 32).of("Lambda::Function"))
        for name, template in templates.items()
        if "-functions-" in name
    }

    assert counted == {
        "matteline-dev-functions-audio-reader": 1,
        "matteline-dev-functions-audio-tagger": len(BLUEPRINT.catalogue.rows_of("audio-tagger")),
        "matteline-dev-functions-background-remover": len(
            BLUEPRINT.catalogue.rows_of("background-remover")
        ),
        "matteline-dev-functions-denoiser": 1,
        "matteline-dev-functions-diarizer": len(BLUEPRINT.catalogue.rows_of("diarizer")),
        "matteline-dev-functions-edge-refiner": 1,
        "matteline-dev-functions-face-analyzer": len(BLUEPRINT.catalogue.rows_of("face-analyzer")),
        "matteline-dev-functions-face-embedder": len(BLUEPRINT.catalogue.rows_of("face-embedder")),
        "matteline-dev-functions-http-api": 1,
        "matteline-dev-functions-media-inspector": 1,
        "matteline-dev-functions-model-downloader": 1,
        "matteline-dev-functions-transcriber": len(BLUEPRINT.catalogue.rows_of("transcriber")),
        "matteline-dev-functions-transcript-writer": 1,
        "matteline-dev-functions-vector-index": 1,
    }


@EACH
def test_a_function_has_the_declared_size(templates: Templates, declared: DeclaredFunction) -> None:
    made, manifest = function(templates, declared), declared.manifest

    assert made["MemorySize"] == declared.memory_mb
    assert made["Timeout"] == manifest.timeout_s
    assert made["EphemeralStorage"] == {"Size": manifest.storage_mb}
    assert made["Architectures"] == [manifest.architecture]


@EACH
def test_a_function_has_the_declared_environment(
    templates: Templates, declared: DeclaredFunction
) -> None:
    variables = function(templates, declared)["Environment"]["Variables"]

    assert declared.manifest.environment.items() <= variables.items()


@EACH
def test_a_function_is_traced_and_logs_where_its_role_may_write(
    templates: Templates, declared: DeclaredFunction
) -> None:
    made, name = function(templates, declared), declared.name(NAMES)

    assert made["TracingConfig"] == {"Mode": "Active"}
    assert made["LoggingConfig"] == {"LogGroup": f"/aws/lambda/{name}"}
    assert made["Role"] == f"arn:aws:iam::123456789012:role/{name}"


def test_accepted_licences_reach_the_functions() -> None:
    (inspector,) = (each for each in BLUEPRINT.functions if each.manifest.name == "media-inspector")
    stack = FunctionStack(
        cdk.App(),
        "stack",
        manifest=inspector.manifest,
        functions=[inspector],
        names=NAMES,
        accepted_licences=("CC-BY-NC-4.0", "Other"),
        api=ApiSettings(),
    )
    made = deploy(Template.from_stack(stack).to_json(), ImageDigestHex="ab" * 32)
    variables = made.one("Lambda::Function").properties["Environment"]["Variables"]

    assert variables["MATTELINE_ACCEPTED_LICENCES"] == "CC-BY-NC-4.0 Other"


def test_a_name_too_long_for_aws_raises_before_deployment() -> None:
    names = Names("matteline-a-long-stage", account="123456789012", region="eu-central-1")

    with pytest.raises(ValueError, match="69 characters; AWS allows 64"):
        names.function("background-remover", "stability-remove-background")

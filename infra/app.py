"""`python -m infra.app`: create every stack and declare the order of deployment."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType
from typing import Final

import aws_cdk as cdk

from infra.access_stack import AccessStack
from infra.batch_network import Network
from infra.batch_stack import BatchStack
from infra.function_stack import FunctionStack
from infra.observability_stack import ObservabilityStack
from infra.page_settings import PageSettings
from infra.page_stack import PageStack
from infra.pipeline_stack import PipelineStack
from infra.registry_stack import RegistryStack
from infra.release_stack import ReleaseStack
from infra.settings import ApiSettings, Settings
from infra.snapshots import snap_started
from infra.storage_stack import StorageStack
from infra.web_stack import WebStack
from pipeline.declared.blueprint import Blueprint
from pipeline.declared.names import PROJECT, Names, stage_names

ROOT: Final = Path(__file__).parents[1]


def make_app(
    *,
    root: Path = ROOT,
    outdir: Path | None = None,
    given: Mapping[str, object] = MappingProxyType({}),
) -> cdk.App:
    """Return the CDK app, for the CDK toolkit and for tests. It reads only files below `root`.

    `given` are settings that override the file's.
    """
    context = json.loads((Path(__file__).parent / "cdk.json").read_text())["context"]
    app = cdk.App(
        context={**context, **given},
        outdir=str(outdir) if outdir else None,
        analytics_reporting=False,
    )
    settings = Settings.from_context(app.node.try_get_context)
    api = ApiSettings.from_context(app.node.try_get_context)
    page = PageSettings.from_context(app.node.try_get_context, api)
    blueprint = Blueprint.read(
        root,
        defaults=settings.default_models,
        accepted_licences=settings.accepted_licences,
        on_request=settings.on_request,
    ).with_batch(settings.batch)
    blueprint = replace(blueprint, backfill_concurrency=settings.backfill_concurrency)
    names = stage_names(
        settings.stage,
        account=cdk.Aws.ACCOUNT_ID,
        region=cdk.Aws.REGION,
        partition=cdk.Aws.PARTITION,
    )
    _add_stacks(app, settings, blueprint, names, api=api, page=page)
    return app


def _add_stacks(
    app: cdk.App,
    settings: Settings,
    blueprint: Blueprint,
    names: Names,
    *,
    api: ApiSettings,
    page: PageSettings | None,
) -> None:
    """Add the stacks, longest-lived first."""
    prefix, containers = names.prefix, blueprint.containers
    snapshots = snap_started(settings.snap_start, containers)
    RegistryStack(
        app, f"{PROJECT}-registry", containers=containers, names=names, scanning=settings.scanning
    )
    storage = StorageStack(
        app,
        f"{prefix}-storage",
        resources=blueprint.resources,
        names=names,
        page_origins=_page_origins(api, page),
        work_days={
            product.work_folder: product.work_days
            for product in blueprint.products
            if product.work_days
        },
        key_users={
            name: [each.name(names) for each in blueprint.functions_with(name)]
            for name in blueprint.resources.buckets
        },
        key_readers=settings.collection_readers,
    )
    access = AccessStack(
        app, f"{prefix}-access", blueprint=blueprint, names=names, keys=storage.keys
    )
    releases = ReleaseStack(
        app,
        f"{prefix}-releases",
        blueprint=blueprint,
        names=names,
        settings=settings,
        data_key=storage.key,
    )
    batch = _batch(app, settings, blueprint, names)
    for manifest in containers:
        functions = FunctionStack(
            app,
            names.function_stack(manifest.name),
            manifest=manifest,
            functions=[each for each in blueprint.functions if each.manifest == manifest],
            jobs=[each for each in blueprint.jobs if each.manifest == manifest],
            names=names,
            accepted_licences=settings.accepted_licences,
            api=api,
            snap_start=manifest.name in snapshots,
        )
        functions.add_stack_dependency(access, reason="functions refer to roles and logs by name")
        if batch:
            functions.add_stack_dependency(batch, reason="jobs refer to a role and logs by name")
        releases.add_stack_dependency(functions, reason="an alarm refers to theirs by name")
    web = WebStack(app, f"{prefix}-web", blueprint=blueprint, names=names, settings=api)
    web.add_stack_dependency(releases, reason="the API calls functions by name")
    if page:
        PageStack(app, f"{prefix}-page", names=names, settings=page, api_host=web.host)
    pipeline = PipelineStack(app, f"{prefix}-pipeline", blueprint=blueprint, names=names)
    ObservabilityStack(
        app,
        f"{prefix}-observability",
        blueprint=blueprint,
        names=names,
        alarm_email=settings.alarm_email,
    ).add_stack_dependency(pipeline, reason="metric filters read the product machines' log groups")


def _batch(
    app: cdk.App, settings: Settings, blueprint: Blueprint, names: Names
) -> BatchStack | None:
    """Add the stack of AWS Batch, if the settings ask for it."""
    if not blueprint.jobs:
        return None
    given = settings.batch_vpc and Network(settings.batch_vpc, settings.batch_subnets)
    return BatchStack(
        app,
        f"{names.prefix}-batch",
        blueprint=blueprint,
        names=names,
        max_vcpus=settings.batch_max_vcpus,
        network=given or None,
    )


def _page_origins(api: ApiSettings, page: PageSettings | None) -> list[str]:
    """Return whose pages may use the buckets: one elsewhere, and the page on its own domain."""
    known = {api.page_origin, page.origin if page else None}
    return sorted(origin for origin in known if origin)


if __name__ == "__main__":
    make_app(outdir=ROOT / "synth-output").synth()

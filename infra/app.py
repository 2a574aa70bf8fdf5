"""`python -m infra.app`: which stacks there are, and in which order they may be deployed."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Final

import aws_cdk as cdk

from infra.pipeline_stack import PipelineStack
from infra.settings import Settings
from pipeline.blueprint import Blueprint
from pipeline.names import Names

ROOT: Final = Path(__file__).parents[1]


def make_app(*, root: Path = ROOT, outdir: Path | None = None) -> cdk.App:
    """The whole app, for the toolkit and for the tests: reads files below `root`, nothing else."""
    context = json.loads((Path(__file__).parent / "cdk.json").read_text())["context"]
    app = cdk.App(
        context=context, outdir=str(outdir) if outdir else None, analytics_reporting=False
    )
    settings = Settings.from_context(app.node.try_get_context)
    blueprint = Blueprint.read(
        root,
        default_model=settings.default_model,
        accepted_licences=settings.accepted_licences,
    )
    names = Names(
        f"matteline-{settings.stage}",
        account=cdk.Aws.ACCOUNT_ID,
        region=cdk.Aws.REGION,
        partition=cdk.Aws.PARTITION,
        bucket_suffix=f"-{cdk.Aws.ACCOUNT_ID}-{cdk.Aws.REGION}",
    )
    prefix = names.prefix
    PipelineStack(
        app, f"{prefix}-pipeline", stack_name=f"{prefix}-pipeline", blueprint=blueprint, names=names
    )
    return app


if __name__ == "__main__":
    make_app(outdir=ROOT / "synth-output").synth()

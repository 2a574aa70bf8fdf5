"""CDK's own validation passes, with warnings as errors. It runs at synthesis."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Final

from infra.app import ROOT

_SOUND: Final = """
import sys
from pathlib import Path
from infra.app import make_app
make_app(outdir=Path(sys.argv[1])).synth()
"""
_BROKEN: Final = """
import json, sys
import aws_cdk as cdk
from aws_cdk import aws_lambda
context = json.load(open("infra/cdk.json"))["context"]
app = cdk.App(context=context, outdir=sys.argv[1], analytics_reporting=False)
aws_lambda.CfnFunction(
    cdk.Stack(app, "broken"),
    "Function",
    role="arn:aws:iam::123456789012:role/r",
    runtime="python2.7",
    handler="h",
    code=aws_lambda.CfnFunction.CodeProperty(zip_file="pass"),
)
app.synth()
"""


def synthesise(program: str, outdir: Path) -> subprocess.CompletedProcess[str]:
    """Synthesise in a subprocess: jsii reads the validation setting once, at its start."""
    environment = {name: value for name, value in os.environ.items() if name != "CDK_VALIDATION"}
    return subprocess.run(
        [sys.executable, "-c", program, str(outdir)],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=100,
    )


def test_the_app_passes_every_default_rule(tmp_path: Path) -> None:
    done = synthesise(_SOUND, tmp_path)

    assert done.returncode == 0, done.stderr[-4000:]
    report = json.loads((tmp_path / "validation-report.json").read_text())
    assert report["pluginReports"] == []


def test_a_retired_runtime_is_rejected(tmp_path: Path) -> None:
    done = synthesise(_BROKEN, tmp_path)

    assert done.returncode != 0
    assert "python2.7" in done.stdout + done.stderr

"""Read the cloud assembly of `python -m infra.app` as a deployment does."""

from __future__ import annotations

import json
import os
import subprocess
from graphlib import TopologicalSorter
from pathlib import Path
from typing import Any, Final

from tests.conftest import ROOT

Template = dict[str, Any]

_PYTHON: Final = ROOT / ".venv-infra" / "bin" / "python"
_SYNTHESISE: Final = (
    "import sys, pathlib, infra.app; infra.app.make_app(outdir=pathlib.Path(sys.argv[1])).synth()"
)


def synthesise(folder: Path, **context: str) -> dict[str, Template]:
    """Return this checkout's templates by stack name, in order of deployment.

    `context` holds values that `cdk -c matteline:<name>=…` would set.
    """
    settings = {f"matteline:{name}": value for name, value in context.items()}
    subprocess.run(
        [_PYTHON, "-c", _SYNTHESISE, folder],
        cwd=ROOT,
        env=os.environ
        | {
            "CDK_CONTEXT_JSON": json.dumps(settings),
            "CDK_VALIDATION": "false",  # `make synth` validates
            "PYTHONPATH": str(ROOT),
        },
        check=True,
    )
    artifacts = json.loads((folder / "manifest.json").read_text())["artifacts"]
    order = TopologicalSorter(
        {name: artifact.get("dependencies", ()) for name, artifact in artifacts.items()}
    )
    return {
        name: json.loads((folder / artifacts[name]["properties"]["templateFile"]).read_text())
        for name in order.static_order()
        if artifacts[name]["type"] == "aws:cloudformation:stack"
    }

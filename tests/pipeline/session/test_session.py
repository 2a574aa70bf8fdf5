"""A session first starts the process that workers are forks of, and then imports moto."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

from tests.conftest import ROOT

# A process of its own, in which nothing has imported moto; the cloud's module is replaced by one
# that prints what it is asked for.
STARTED = """
import contextlib, json, sys, types
from pathlib import Path

import pipeline.cli.contact_sheet
from pipeline.local import fork_launcher
from pipeline.session.choice import ModelChoice
from pipeline.session.run_messages import RunRequest
from pipeline.session.session import session

told = {}

@contextlib.contextmanager
def launching(blueprint, products):
    told["loaded"] = sorted(sys.modules)
    yield "the launcher"

def local_cloud(blueprint, **options):
    told["launcher"], told["calls_at_once"] = options["launcher"], options["calls_at_once"]
    print(json.dumps(told))
    sys.exit()

fork_launcher.launching_sources = launching
sys.modules["pipeline.local.cloud"] = types.SimpleNamespace(local_cloud=local_cloud)
request = RunRequest({}, "starter", ["cutout"])
with session(Path.cwd(), ModelChoice("starter"), request, say=lambda line: None, calls_at_once=3):
    pass
"""


def told() -> dict[str, Any]:
    done = subprocess.run(
        [sys.executable, "-c", STARTED], cwd=ROOT, capture_output=True, text=True, check=True
    )
    parsed: dict[str, Any] = json.loads(done.stdout)
    return parsed


def test_handlers_are_imported_while_the_cloud_loads_moto() -> None:
    started = told()

    assert started["launcher"] == "the launcher"
    assert {"moto", "werkzeug"}.isdisjoint(started["loaded"])
    assert started["calls_at_once"] == 3

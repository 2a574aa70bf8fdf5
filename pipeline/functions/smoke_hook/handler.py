"""BeforeAllowTraffic: smoke-test a version before CodeDeploy sends traffic to it.

CodeDeploy calls hooks when an alias moves, not when it is created: a container's first version has
its self-test only.
"""

from __future__ import annotations

import functools
import os
from dataclasses import asdict
from typing import Any

from pipeline.functions.declared import ROOT
from pipeline.functions.smoke_hook.places import Places
from pipeline.functions.smoke_hook.services import Services
from pipeline.functions.smoke_hook.smoke import SmokeTest


def handler(event: dict[str, Any], _context: object) -> dict[str, Any]:
    """Report the verdict to CodeDeploy, and return it as JSON."""
    return asdict(_smoke_test().run(event))


@functools.cache
def _smoke_test() -> SmokeTest:
    return SmokeTest(Services.connect(), Places.from_environment(ROOT, os.environ))

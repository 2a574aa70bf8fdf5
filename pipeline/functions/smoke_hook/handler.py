"""BeforeAllowTraffic: what takes over from a live version has answered its golden event before.

CodeDeploy asks when an alias moves, not when it is made: a first version has only its self-test.
"""

from __future__ import annotations

import functools
import os
from dataclasses import asdict
from typing import Any

from pipeline.functions.declared import ROOT
from pipeline.functions.smoke_hook.services import Services
from pipeline.functions.smoke_hook.smoke import Places, SmokeTest


def handler(event: dict[str, Any], _context: object) -> dict[str, Any]:
    """The verdict, as JSON; CodeDeploy has been told it by then."""
    return asdict(_smoke_test().run(event))


@functools.cache
def _smoke_test() -> SmokeTest:
    return SmokeTest(Services.connect(), Places.from_environment(ROOT, os.environ))

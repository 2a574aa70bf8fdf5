"""Count a live image's critical findings: on each report, and of all live images every day."""

from __future__ import annotations

import functools
import os
from typing import Any

from pipeline.functions.declared import manifests
from pipeline.functions.image_watch.watch import Watch
from pipeline.functions.release_gate.waivers import read_waivers


def handler(event: dict[str, Any], _context: object) -> dict[str, Any]:
    """Return the findings, and on a schedule the scans started, as JSON."""
    return _watch().look(event)


@functools.cache
def _watch() -> Watch:
    waivers = read_waivers()
    return Watch.connect(manifests(), waivers, os.environ)

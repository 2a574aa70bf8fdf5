"""What a report says of a live image is counted at once; every day, all that is known of each."""

from __future__ import annotations

import functools
import os
from typing import Any

from pipeline.functions.declared import manifests
from pipeline.functions.image_watch.watch import Watch
from pipeline.functions.release_gate.waivers import read_waivers


def handler(event: dict[str, Any], _context: object) -> dict[str, Any]:
    """What was seen, or what was asked for, as JSON."""
    return _watch().look(event)


@functools.cache
def _watch() -> Watch:
    waivers = read_waivers()
    return Watch.connect(manifests().keys(), waivers, os.environ)

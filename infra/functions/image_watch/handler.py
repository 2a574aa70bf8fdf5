"""An event of findings is counted if its image is live; any other event has live images scanned."""

from __future__ import annotations

import functools
import os
from typing import Any

from infra.functions.declared import manifests
from infra.functions.image_watch.watch import Watch


def handler(event: dict[str, Any], _context: object) -> dict[str, Any]:
    """What was seen, or what was asked for, as JSON."""
    return _watch().look(event)


@functools.cache
def _watch() -> Watch:
    return Watch.connect(manifests().keys(), os.environ)

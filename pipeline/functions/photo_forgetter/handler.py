"""ForgetPhoto: delete the files that products made of a deleted photo, where they say so."""

from __future__ import annotations

import functools
import os
from dataclasses import asdict
from typing import Any

from pipeline.functions.photo_forgetter.contract import ForgetPhoto
from pipeline.functions.photo_forgetter.followers import read_followers
from pipeline.functions.photo_forgetter.forgetter import Forgetter


def handler(event: dict[str, Any], _context: object) -> dict[str, Any]:
    """Read a ForgetPhoto from the event and return a PhotoForgotten, both as JSON."""
    return asdict(_forgetter().forget(ForgetPhoto(**event)))


@functools.cache
def _forgetter() -> Forgetter:
    return Forgetter.connect(read_followers(), os.environ)

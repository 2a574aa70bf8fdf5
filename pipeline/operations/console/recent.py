"""Remember answers of Step Functions for some seconds: it allows an account few lists a second.

ListExecutions may be called 2 to 5 times a second, by region, after a first 100 to 200:
https://docs.aws.amazon.com/step-functions/latest/dg/service-quotas.html. A page that is open asks
for lists of every machine again and again.
"""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Any, Final, TypeVar

from pipeline.operations.site import Site

LASTS_S: Final = 15.0  # 15 machines with two lists each make 2 calls a second
_MOST: Final = 200
_ANSWERS: Final = OrderedDict[Hashable, tuple[float, Any]]()
Answer = TypeVar("Answer")


def recent(site: Site, *asked: Hashable, answer: Callable[[], Answer]) -> Answer:
    """Return the answer to what is asked, at most `LASTS_S` old; always a new one locally."""
    if site.local:
        return answer()
    key, now = (site, *asked), time.monotonic()
    at, known = _ANSWERS.get(key, (-LASTS_S, None))
    if now - at < LASTS_S:
        found: Answer = known
        return found
    found = answer()
    _ANSWERS[key] = now, found
    while len(_ANSWERS) > _MOST:
        _ANSWERS.popitem(last=False)
    return found

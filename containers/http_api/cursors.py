"""Where a list goes on: a place in it, as text that a client passes back as it is."""

from __future__ import annotations

import base64
import binascii
import json

from containers.http_api.problems import InvalidRequest, WrongFields
from pipeline.operations.jobs_table import Place


def write_cursor(place: Place) -> str:
    return base64.urlsafe_b64encode(json.dumps(place).encode()).decode().rstrip("=")


def read_cursor(text: str, prefix: str) -> Place:
    """Return the place. Raises WrongFields unless it is in the list of keys with this prefix.

    A caller may make one up: it only says where in the caller's own list to go on.
    """
    try:
        key, job_id = json.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
    except (binascii.Error, TypeError, ValueError):
        key = job_id = None
    texts = isinstance(key, str) and isinstance(job_id, str) and key and job_id
    if texts and key.startswith(prefix):
        return Place(key, job_id)
    raise WrongFields.one(InvalidRequest("the cursor is not one of this list's"), "query.cursor")

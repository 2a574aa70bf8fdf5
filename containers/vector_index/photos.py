"""The photos of a person who is being forgotten: whose faces files are deleted next."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Final

from containers.vector_index.stored.places import Places
from pipeline.contracts.collection import MOST_PHOTOS, ForgetSubject

_FILE: Final = "photos.json"


def keep_photos(places: Places, job: ForgetSubject, keys: Sequence[str]) -> Sequence[str]:
    """Return the keys that the first call of an execution found, in order.

    They are kept for a day: by the time that a call is repeated, or asks for more of them, the
    vectors that name them may be erased.
    """
    place = places.export(job.collection, job.execution, _FILE)
    try:
        kept: list[str] = json.loads(places.store.read(place))
    except KeyError:
        content = json.dumps(keys, ensure_ascii=False).encode()
        places.store.write(place, content, media_type="application/json")
        return keys
    return sorted({*kept, *keys})


def next_photos(job: ForgetSubject, keys: Sequence[str]) -> tuple[tuple[str, ...], str | None]:
    """Return the keys after the last call's, at most a hundred, and the last one if more follow."""
    ahead = [key for key in keys if job.after is None or key > job.after]
    page = tuple(ahead[:MOST_PHOTOS])
    return page, page[-1] if len(ahead) > MOST_PHOTOS else None

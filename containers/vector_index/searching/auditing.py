"""Write down every search before it is answered, and list what was written down."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from itertools import islice
from typing import Final

from containers.vector_index.stored.head import read_head
from containers.vector_index.stored.places import Places, moment_of, now
from pipeline.contracts.collection_searches import ListSearches, Search, SearchesListed
from pipeline.workbench import TaskContext

KEPT_DAYS: Final = 400


def write_search(places: Places, search: Search) -> None:
    """Write an audit record. Without it there is no answer: errors of the store pass."""
    moment = search.at.astimezone(UTC)
    prefix = places.searches(search.collection, f"{moment:%Y-%m-%d}/")
    place = prefix._replace(key=f"{prefix.key}{moment:%H%M%S%f}-{search.search}.json")
    places.store.write(place, search.model_dump_json().encode(), media_type="application/json")


def list_searches(job: ListSearches, context: TaskContext) -> SearchesListed:
    """Return the latest searches of a collection. Raises CollectionMissing or SegmentMismatch."""
    places = Places.of(job, context)
    read_head(places, job.collection)
    since = job.since if job.since.tzinfo else job.since.replace(tzinfo=UTC)
    found = _latest_first(places, job.collection, since)
    return SearchesListed(searches=tuple(islice(found, job.limit)))


def _latest_first(places: Places, name: str, since: datetime) -> Iterator[Search]:
    for day in _days_back_to(since.astimezone(UTC).date()):
        listed = [*places.store.listing(places.searches(name, f"{day:%Y-%m-%d}/"))]
        for each in reversed(listed):
            search = Search.model_validate_json(places.store.read(each.location))
            if search.at < since:
                return
            yield search


def _days_back_to(first: date) -> Iterator[date]:
    today = moment_of(now()).date()
    for days in range(min((today - first).days, KEPT_DAYS) + 1):
        yield today - timedelta(days=days)

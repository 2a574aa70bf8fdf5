"""ListCollections: their names, by which each is compacted."""

from __future__ import annotations

from containers.vector_index.stored.places import Places, name_of_head
from pipeline.contracts.collection_runs import CollectionsListed, ListCollections
from pipeline.workbench import TaskContext


def list_collections(job: ListCollections, context: TaskContext) -> CollectionsListed:
    """Return the names of all collections that have a head. None is opened: one may be broken."""
    places = Places.of(job, context)
    keys = (each.location.key for each in places.store.listing(places.collections()))
    return CollectionsListed(names=tuple(filter(None, map(name_of_head, keys))))

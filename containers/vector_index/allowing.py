"""ChangeAllowed: who may search a collection besides operators."""

from __future__ import annotations

from containers.vector_index.stored.head import Head, change_head
from containers.vector_index.stored.places import Places
from pipeline.contracts.collection import MOST_ALLOWED, AllowedChanged, ChangeAllowed
from pipeline.errors import InvalidOptions
from pipeline.workbench import TaskContext


def change_allowed(job: ChangeAllowed, context: TaskContext) -> AllowedChanged:
    """Publish a head with other principals; repeated, it changes nothing.

    Raises CollectionMissing, CollectionBusy, and InvalidOptions if there would be too many.
    """

    def changed(head: Head) -> Head:
        asked = dict.fromkeys((*head.allowed, *job.allow))
        allowed = tuple(each for each in asked if each not in job.revoke)
        if allowed == head.allowed:
            return head
        if len(allowed) > max(MOST_ALLOWED, len(head.allowed)):
            raise InvalidOptions(
                f"allow: {len(allowed)} principals could search the collection, "
                f"of at most {MOST_ALLOWED}"
            )
        return head.but(allowed=allowed)

    head = change_head(Places.of(job, context), job.collection, changed)
    return AllowedChanged(collection=head.name, allowed=head.allowed)

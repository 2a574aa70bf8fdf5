"""The role of each state machine: a product's, or one of the platform's own, which are few."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from enum import Enum, auto
from typing import Final


class Role(Enum):
    PRODUCT = auto()  # makes one product of one upload; has a `.product.toml`
    STAGING = auto()  # stages weights
    PREPARING = auto()  # makes a photo ready for clicks; publishes and records nothing
    RUNNING = auto()  # runs one task of a product's execution as a job of AWS Batch
    RECORDING = auto()  # records ends from outside
    REAPING = auto()  # closes jobs whose end was not recorded
    BATCH = auto()  # starts a product's machine for many objects; AWS alone runs it
    RELEASE = auto()  # releases a container
    NOTIFYING = auto()  # starts a delivery for each webhook that wants to know of an end
    DELIVERING = auto()  # delivers one message to one webhook
    FORGETTING = auto()  # deletes what products have of a photo that was deleted
    COLLECTING = auto()  # does one action of a collection; claims a row of its own
    COMPACTING = auto()  # starts the compaction of every collection


OF_PLATFORM: Final[Mapping[str, Role]] = {
    "stage-weights": Role.STAGING,
    "prepare-selection": Role.PREPARING,
    "run-on-batch": Role.RUNNING,
    "record-failure": Role.RECORDING,
    "reap-jobs": Role.REAPING,
    "backfill": Role.BATCH,
    "release-container": Role.RELEASE,
    "notify-webhooks": Role.NOTIFYING,
    "deliver-webhook": Role.DELIVERING,
    "forget-photo": Role.FORGETTING,
    "collection": Role.COLLECTING,
    "compact-collections": Role.COMPACTING,
}


def role_of(machine: str, products: Collection[str]) -> Role:
    """Return the role of a machine, given the machines of all products.

    Raises KeyError for one that is neither a product's nor one of the platform's own.
    """
    return Role.PRODUCT if machine in products else OF_PLATFORM[machine]

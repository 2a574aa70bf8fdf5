"""Everything that stops a container's release, and what a person can do about it.

    ReleaseError
    ├── RejectedRelease    nothing was touched: what was live still is
    │   ├── RejectedRequest  RejectedBusy  RejectedVersion  RejectedRollback
    │   └── RejectedScan  RejectedByGate  RejectedUpdate
    └── BrokenRelease      the update began, and did not last
        └── RolledBack  RollbackFailed  ReleaseUnclear

A leaf's class name is the error the `release-container` state machine fails with.
"""

from __future__ import annotations

from pipeline.errors import NamedError

__all__ = [
    "BrokenRelease",
    "RejectedBusy",
    "RejectedByGate",
    "RejectedRelease",
    "RejectedRequest",
    "RejectedRollback",
    "RejectedScan",
    "RejectedUpdate",
    "RejectedVersion",
    "ReleaseError",
    "ReleaseUnclear",
    "RollbackFailed",
    "RolledBack",
]


class ReleaseError(NamedError):
    """A container was not released."""


class RejectedRelease(ReleaseError):
    """The release ended before anything was touched."""


class RejectedRequest(RejectedRelease):
    """Nobody can tell what is to be released."""

    hint = "Give container, version and action (deploy or rollback), and start again."


class RejectedBusy(RejectedRelease):
    """Another release of the same container is under way."""

    hint = "Wait for its end, then start this one again."


class RejectedVersion(RejectedRelease):
    """The registry has no such image, or another one than was built."""

    hint = "Build the tag of this version, or choose a version that the registry lists."


class RejectedRollback(RejectedRelease):
    """The version to go back to was never live as the image it is now."""

    hint = "Choose a version that the releases table has a row of, or deploy this one."


class RejectedScan(RejectedRelease):
    """Nobody knows what is wrong with the image: its scan has not come to an end."""

    hint = "Look at the scan in ECR, scan the image again if need be, and start again."


class RejectedByGate(RejectedRelease):
    """The image breaks the policy, or something is missing that proves what it is."""

    hint = "Mend the image and release the next version, or have a waiver reviewed."


class RejectedUpdate(RejectedRelease):
    """CloudFormation would not begin."""

    hint = "Mend what it says about the stack, then start again."


class BrokenRelease(ReleaseError):
    """The update of the stack began, and the new version is not live."""


class RolledBack(BrokenRelease):
    """The new version failed its smoke test or its canary; the one before is live again."""

    hint = "Mend the container and release its next version."


class RollbackFailed(BrokenRelease):
    """CloudFormation could not go back either."""

    hint = "See to the resource it names, then continue the rollback of the stack by hand."


class ReleaseUnclear(BrokenRelease):
    """The update has not ended in time, or in a way nobody foresaw."""

    hint = "Follow the stack in CloudFormation; until it settles no other release will begin."

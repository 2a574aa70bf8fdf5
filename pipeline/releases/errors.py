"""Name every error that stops a container's release, with a hint for the operator.

    ReleaseError
    ├── RejectedRelease    nothing changed: the live version stays live
    │   ├── RejectedRequest  RejectedBusy  RejectedVersion  RejectedRollback
    │   └── RejectedScan  RejectedByGate  RejectedUpdate
    └── BrokenRelease      the update started, but did not succeed
        └── RolledBack  RollbackFailed  ReleaseUnclear

The `release-container` state machine fails with the class name of a leaf.
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
    """The release ended before it changed anything."""


class RejectedRequest(RejectedRelease):
    """The request is invalid, or its build did not succeed."""

    hint = "Give container, version and action (deploy or rollback), and start again."


class RejectedBusy(RejectedRelease):
    """Another release of the same container is running."""

    hint = "Wait until it ends, then start this release again."


class RejectedVersion(RejectedRelease):
    """The registry has no image of this version, or not the one that was built."""

    hint = "Build the tag of this version, or choose a version that the registry lists."


class RejectedRollback(RejectedRelease):
    """The version was never live with the image that its tag names now."""

    hint = "Choose a version that is in the releases table, or deploy this version."


class RejectedScan(RejectedRelease):
    """The image scan failed or did not finish in time."""

    hint = "Check the scan in ECR, scan the image again if needed, and start the release again."


class RejectedByGate(RejectedRelease):
    """The image violates the release policy, or its evidence is missing or invalid."""

    hint = "Fix the image and release the next version, or have a waiver reviewed."


class RejectedUpdate(RejectedRelease):
    """CloudFormation did not start the update."""

    hint = "Fix the problem with the stack, then start the release again."


class BrokenRelease(ReleaseError):
    """The stack update started, but the new version is not live."""


class RolledBack(BrokenRelease):
    """The new version failed its smoke test or canary; the previous version is live again."""

    hint = "Fix the container and release its next version."


class RollbackFailed(BrokenRelease):
    """CloudFormation could not roll back the stack."""

    hint = "Fix the resource it names, then continue the stack's rollback in CloudFormation."


class ReleaseUnclear(BrokenRelease):
    """The stack update timed out or ended in an unknown status."""

    hint = "Watch the stack in CloudFormation; no other release starts until its update ends."

"""Whether a deployment is the way back to a version that was live, and not merely a hurried one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

_AT_ONCE: Final = "all-at-once"
_UNDER_WAY: Final = "RELEASING"


def goes_back(
    release: Mapping[str, str], container: Mapping[str, str], past: Mapping[str, str]
) -> bool:
    """`release` are the stack's parameters; the others, rows of container and version.

    A stack keeps its parameters: after a way back, a change of settings comes all at once, too, and
    was never live. Then the machine is at work on nothing.
    """
    return (
        release["TrafficShift"] == _AT_ONCE
        and container.get("status") == _UNDER_WAY
        and container.get("tried") == release["ReleaseVersion"]
        and past.get("digest") == f"sha256:{release['ImageDigestHex']}"
    )

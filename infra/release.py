"""Define a release's three stack parameters, and the resources that depend on them."""

from __future__ import annotations

from typing import Final

import aws_cdk as cdk

from infra.l1 import resource_of

CANARY: Final = "canary"
ALL_AT_ONCE: Final = "all-at-once"


class Release:
    """The image to run and how traffic shifts to it. Before the first release there is no image."""

    def __init__(self, stack: cdk.Stack) -> None:
        # Without "sha256:": CDK cannot see the prefix inside a parameter and would treat it as a
        # tag.
        self._digest_hex = cdk.CfnParameter(
            stack,
            "ImageDigestHex",
            default="",
            allowed_pattern="^([a-f0-9]{64})?$",
            description="SHA-256 of the image to run; empty before the first release",
        )
        self._version = cdk.CfnParameter(
            stack,
            "ReleaseVersion",
            default="0.0.0",
            allowed_pattern=r"^\d+\.\d+\.\d+$",
            description="The version that tags the image",
        )
        shift = cdk.CfnParameter(
            stack,
            "TrafficShift",
            default=CANARY,
            allowed_values=[CANARY, ALL_AT_ONCE],
            description="all-at-once is for a rollback to a version that was live before",
        )
        fn = cdk.Fn
        self.released = cdk.CfnCondition(
            stack,
            "Released",
            expression=fn.condition_not(fn.condition_equals(self._digest_hex.value_as_string, "")),
        )
        self.at_once = cdk.CfnCondition(
            stack,
            "AllAtOnce",
            expression=fn.condition_equals(shift.value_as_string, ALL_AT_ONCE),
        )

    @property
    def digest(self) -> str:
        return f"sha256:{self._digest_hex.value_as_string}"

    @property
    def version(self) -> str:
        return self._version.value_as_string

    def makes(self, *resources: cdk.Resource) -> None:
        """Create the resources only once something has been released."""
        for resource in resources:
            resource_of(resource, cdk.CfnResource).cfn_options.condition = self.released

"""Reach a construct's CloudFormation resource, for properties that the construct lacks."""

from __future__ import annotations

from typing import TypeVar

from aws_cdk import CfnResource
from constructs import Construct

R = TypeVar("R", bound=CfnResource)


def resource_of(construct: Construct, kind: type[R]) -> R:
    """Return the resource under a construct. Raises TypeError if it is not a `kind`."""
    resource = construct.node.default_child
    if not isinstance(resource, kind):
        raise TypeError(f"{construct.node.path} is a {resource}, not a {kind.__name__}")
    return resource

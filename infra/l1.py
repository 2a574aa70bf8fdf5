"""The CloudFormation resource under a construct, for what the construct has no words for."""

from __future__ import annotations

from typing import TypeVar

from aws_cdk import CfnResource
from constructs import Construct

R = TypeVar("R", bound=CfnResource)


def resource_of(construct: Construct, kind: type[R]) -> R:
    """What the construct is made of; TypeError if that is of another kind."""
    resource = construct.node.default_child
    if not isinstance(resource, kind):
        raise TypeError(f"{construct.node.path} is made of {resource}, no {kind.__name__}")
    return resource

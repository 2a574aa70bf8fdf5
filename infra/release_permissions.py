"""What a state machine that releases containers may do with their stacks and repositories."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from aws_cdk import aws_iam as iam

from pipeline.blueprint import Blueprint
from pipeline.names import Names


class ReleasePermissions:
    """For every container of a blueprint."""

    def __init__(self, blueprint: Blueprint, names: Names) -> None:
        self._containers = [each.name for each in blueprint.containers]
        self._names = names

    @property
    def repositories(self) -> list[str]:
        return self._each(lambda name: f"ecr:repository/{self._names.repository(name)}")

    @property
    def stacks(self) -> list[str]:
        return self._each(self._stack)

    def updates(self) -> Iterator[iam.PolicyStatement]:
        """Of each stack, as its own deploy role and with the template it has: parameters only."""
        for container in self._containers:
            role = self._names.deploy_role_arn(container)
            yield iam.PolicyStatement(
                actions=["cloudformation:UpdateStack"],
                resources=[self._arn(self._stack(container))],
                conditions={
                    "ArnEquals": {"cloudformation:RoleArn": role},
                    "Null": {"cloudformation:TemplateUrl": "true"},
                },
            )
        yield iam.PolicyStatement(
            actions=["iam:PassRole"],
            resources=[self._names.deploy_role_arn(each) for each in self._containers],
            conditions={"StringEquals": {"iam:PassedToService": "cloudformation.amazonaws.com"}},
        )

    def _stack(self, container: str) -> str:
        return f"cloudformation:stack/{self._names.function_stack(container)}/*"

    def _each(self, name: Callable[[str], str]) -> list[str]:
        return [self._arn(name(container)) for container in self._containers]

    def _arn(self, resource: str) -> str:
        service, _, rest = resource.partition(":")
        return f"{self._names.arn(service)}:{rest}"

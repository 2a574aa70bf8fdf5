"""Derive what the release machine may do with the containers' stacks and repositories."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from aws_cdk import aws_iam as iam

from infra.operation_grants import enhanced_findings
from pipeline.declared.blueprint import Blueprint
from pipeline.declared.names import Names

RELEASE_ACTIONS: Final = {
    "describeImages": "ecr",
    "describeImageScanFindings": "ecr",
    "describeStacks": "cloudformation",
    "updateStack": "cloudformation",
}


class ReleasePermissions:
    """IAM statements for the release machine, over every container of a blueprint."""

    def __init__(self, blueprint: Blueprint, names: Names) -> None:
        self._containers = [each.name for each in blueprint.containers]
        self._names = names

    def of(self, action: str) -> Iterator[iam.PolicyStatement]:
        """Yield the statements that one of RELEASE_ACTIONS needs."""
        if action == "updateStack":
            yield from self._updates()
            return
        on = {"cloudformation": self._stack, "ecr": self._repository}[RELEASE_ACTIONS[action]]
        name = f"{RELEASE_ACTIONS[action]}:{action[0].upper()}{action[1:]}"
        yield iam.PolicyStatement(actions=[name], resources=[*map(on, self._containers)])
        if action == "describeImageScanFindings":
            yield enhanced_findings()

    def _updates(self) -> Iterator[iam.PolicyStatement]:
        """Allow updates of each stack, but only with its own deploy role, which limits a template.

        The condition denies a template URL. No condition key covers a template in the request body;
        the machine's definition sends none.
        """
        for container in self._containers:
            role = self._names.deploy_role_arn(container)
            yield iam.PolicyStatement(
                actions=["cloudformation:UpdateStack"],
                resources=[self._stack(container)],
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
        return (
            f"{self._names.arn('cloudformation')}:stack/{self._names.function_stack(container)}/*"
        )

    def _repository(self, container: str) -> str:
        return f"{self._names.arn('ecr')}:repository/{self._names.repository(container)}"

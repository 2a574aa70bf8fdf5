"""A new account can deploy every stack, and the doctor's policy names actions that exist."""

from __future__ import annotations

import json
import re
from typing import Final

from policy_sentry.querying.actions import get_action_data

from infra.app import ROOT
from tests.infra.conftest import Templates

# Services that AWS closed to new accounts, as CloudFormation calls them, by November 2026.
CLOSED: Final = {
    "AWS::AppMesh", "AWS::Cloud9", "AWS::CodeCommit", "AWS::CodeStar", "AWS::DataPipeline",
    "AWS::Evidently", "AWS::Forecast", "AWS::FraudDetector", "AWS::IoTAnalytics", "AWS::IoTEvents",
    "AWS::LookoutEquipment", "AWS::LookoutMetrics", "AWS::LookoutVision", "AWS::OpsWorks",
    "AWS::OpsWorksCM", "AWS::Panorama", "AWS::QLDB", "AWS::S3ObjectLambda",
    "AWS::ServiceCatalogAppRegistry", "AWS::Timestream",
}  # fmt: skip


def test_no_stack_has_a_resource_of_a_service_closed_to_new_accounts(templates: Templates) -> None:
    used = {
        resource["Type"].rpartition("::")[0]
        for template in templates.values()
        for resource in template["Resources"].values()
    }

    assert "AWS::Lambda" in used
    assert not used & CLOSED


def test_every_action_of_the_doctors_policy_exists() -> None:
    text = (ROOT / "docs" / "deploying.md").read_text(encoding="utf-8")
    section = text.partition("\n### What the doctor may do\n")[2]
    block = re.search(r"```json\n(.*?)```", section, re.DOTALL)
    assert block
    (statement,) = json.loads(block[1])["Statement"]

    unknown = [each for each in statement["Action"] if not get_action_data(*each.split(":"))]
    assert unknown == []

"""cfn-lint finds nothing in any template, before or after a release."""

from __future__ import annotations

import json
from typing import Any, Final

import pytest
from cfnlint import ManualArgs, lint

from infra.app import ROOT
from tests.infra.conftest import Templates

_RELEASED: Final = {
    "ImageDigestHex": "ab" * 32,
    "ReleaseVersion": "1.2.3",
    "TrafficShift": "canary",
}
_UNRELEASED: Final = _RELEASED | {"ImageDigestHex": "", "ReleaseVersion": "0.0.0"}
# CDK adds DependsOn even where a reference implies it.
_IGNORED: Final = ["W3005"]


def problems(template: Any, given: dict[str, str]) -> list[str]:
    parameters: Any = {name: text for name, text in given.items() if name in _given(template)}
    settings = ManualArgs(ignore_checks=_IGNORED, parameters=[parameters] if parameters else [])
    found = lint(json.dumps(template), config=settings)
    return [f"{each.rule.id} {each.message} at {each.path}" for each in found]


def test_no_template_has_findings(templates: Templates) -> None:
    found = {name: problems(template, _UNRELEASED) for name, template in templates.items()}

    assert {name: lines for name, lines in found.items() if lines} == {}


def test_no_template_has_findings_after_a_release(templates: Templates) -> None:
    released = {name: each for name, each in templates.items() if "ImageDigestHex" in _given(each)}
    found = {name: problems(template, _RELEASED) for name, template in released.items()}

    assert len(released) == len(list((ROOT / "containers").glob("*/container.toml")))
    assert {name: lines for name, lines in found.items() if lines} == {}


def _given(template: Any) -> frozenset[str]:
    return frozenset(template.get("Parameters", {}))


@pytest.mark.parametrize(
    ("kind", "properties", "rule"),
    [
        ("AWS::SQS::Queue", {"VisibilityTimeout": "soon"}, "E3012"),
        ("AWS::SQS::Queue", {"Colour": "red"}, "E3002"),
        (
            "AWS::IAM::Policy",
            {
                "PolicyName": "p",
                "Roles": ["r"],
                "PolicyDocument": {
                    "Version": "2012-10-17",
                    "Statement": [
                        {
                            "Effect": "Allow",
                            "Action": "s3:GetObjekt",
                            "Resource": "arn:aws:s3:::b/k",
                        }
                    ],
                },
            },
            "W3037",
        ),
    ],
)
def test_a_faulty_template_has_findings(kind: str, properties: dict[str, Any], rule: str) -> None:
    template = {"Resources": {"Slip": {"Type": kind, "Properties": properties}}}

    assert [line.split()[0] for line in problems(template, {})] == [rule]

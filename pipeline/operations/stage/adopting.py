"""Map what a destroyed stage left behind to the stage's templates, for CloudFormation to import."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from pipeline.declared.names import Names
from pipeline.operations.stage.leftovers import Leftover

Template = Mapping[str, Any]
Mappings = Mapping[str, Mapping[str, Mapping[str, str]]]

_NAMES: Final = {
    "AWS::DynamoDB::Table": "TableName",
    "AWS::ECR::Repository": "RepositoryName",
    "AWS::KMS::Alias": "AliasName",
    "AWS::Logs::LogGroup": "LogGroupName",
    "AWS::S3::Bucket": "BucketName",
    "AWS::S3Vectors::VectorBucket": "VectorBucketName",
}
_ALIAS: Final = "AWS::KMS::Alias"


class CannotAdopt(Exception):
    """Leftovers that CloudFormation cannot import. `problems` says of each what to do."""

    def __init__(self, problems: Sequence[str]) -> None:
        super().__init__("; ".join(problems))
        self.problems = tuple(problems)


def read_templates(folder: Path) -> dict[str, Template]:
    """Return the templates that `cdk synth` wrote last, by stack; others may be in its folder."""
    manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    return {
        name: json.loads((folder / each["properties"]["templateFile"]).read_text(encoding="utf-8"))
        for name, each in manifest["artifacts"].items()
        if each["type"] == "aws:cloudformation:stack"
    }


def adopted(
    leftovers: Sequence[Leftover], templates: Mapping[str, Template], names: Names
) -> Mappings:
    """Return, by stack, the identifier of each resource to import, by its logical ID.

    Leftovers of stacks that the stage no longer has are ignored. Raises CannotAdopt if one cannot
    be imported, or refers to a resource that is gone: an import creates nothing.
    """
    mappings: dict[str, dict[str, Mapping[str, str]]] = {}
    problems = []
    for leftover in leftovers:
        stack = leftover.expected.stack
        logical = _logical_ids(templates.get(stack, {}), names)
        at = logical.get((f"AWS::{leftover.expected.kind}", leftover.expected.name))
        if at is None:
            continue
        if leftover.problem:
            problems.append(leftover.problem)
        mappings.setdefault(stack, {})[at] = leftover.identifier
    for stack, mapping in mappings.items():
        problems += _dangling(templates[stack], mapping, names)
    if problems:
        raise CannotAdopt(list(dict.fromkeys(problems)))
    return mappings


def _logical_ids(template: Template, names: Names) -> dict[tuple[str, str], str]:
    """Return the logical IDs by type and name; of a key, by the name of its alias."""
    resources: Mapping[str, Any] = template.get("Resources", {})
    found: dict[tuple[str, str], str] = {}
    for logical_id, resource in resources.items():
        kind, properties = resource["Type"], resource.get("Properties", {})
        if kind not in _NAMES or _NAMES[kind] not in properties:
            continue
        name = _text(properties[_NAMES[kind]], names)
        found[kind, name] = logical_id
        if kind == _ALIAS:
            for key in _references(properties["TargetKeyId"]):
                found["AWS::KMS::Key", name] = key
    return found


def _text(value: object, names: Names) -> str:
    """Return a name as CloudFormation computes it."""
    match value:
        case str():
            return value
        case {"Ref": "AWS::AccountId"}:
            return names.account
        case {"Ref": "AWS::Region"}:
            return names.region
        case {"Fn::Join": [separator, parts]}:
            return str(separator).join(_text(part, names) for part in parts)
    return ""  # a name that depends on another resource is none of ours


def _dangling(
    template: Template, mapping: Mapping[str, Mapping[str, str]], names: Names
) -> Iterator[str]:
    """Yield what imported resources refer to that is not imported with them."""
    named = {at: name for (_, name), at in _logical_ids(template, names).items()}
    for logical_id in mapping:
        for other in _references(template["Resources"][logical_id].get("Properties", {})):
            if other in template["Resources"] and other not in mapping:
                name = named.get(other, other)
                kind = template["Resources"][other]["Type"]
                yield _recreate(kind, name, of=named.get(logical_id, logical_id))


def _recreate(kind: str, name: str, *, of: str) -> str:
    if kind == "AWS::S3::Bucket":
        return f"{of} needs the bucket {name}, which is gone: aws s3 mb s3://{name}"
    return f"{of} needs {name} ({kind}), which is gone: delete {of}, which nothing can read"


def _references(value: object) -> Iterator[str]:
    """Yield the logical IDs that a value refers to."""
    if isinstance(value, list):
        for each in value:
            yield from _references(each)
    elif isinstance(value, dict):
        if isinstance(named := value.get("Ref"), str):
            yield named
        if isinstance(path := value.get("Fn::GetAtt"), list):
            yield str(path[0])
        for each in value.values():
            yield from _references(each)

"""The CDK toolkit is one exact version, and its lock tells nothing of where it was made."""

from __future__ import annotations

import json
import re

from tests.conftest import ROOT

PACKAGE = json.loads((ROOT / "infra" / "package.json").read_text())
LOCK = json.loads((ROOT / "infra" / "package-lock.json").read_text())


def test_the_toolkit_is_one_exact_version_of_its_second_line() -> None:
    """`latest` was once a 3.0.0, published by accident, that reads no assembly of CDK 2."""
    assert re.fullmatch(r"2\.\d+\.\d+", PACKAGE["devDependencies"]["aws-cdk"])


def test_the_lock_has_that_version_with_its_checksum() -> None:
    locked = LOCK["packages"]["node_modules/aws-cdk"]

    assert locked["version"] == PACKAGE["devDependencies"]["aws-cdk"]
    assert locked["integrity"].startswith("sha512-")


def test_the_lock_names_no_registry() -> None:
    assert [path for path, each in LOCK["packages"].items() if "resolved" in each] == []

"""SECURITY.md names tests that exist; and what no source of ours may ever do."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.conftest import ROOT

TABLE = (ROOT / "SECURITY.md").read_text()
NAMED = re.findall(r"`(tests/[\w/]+\.py)::(\w+)`", TABLE)
SHIPPED = sorted(
    path for folder in ("pipeline", "containers") for path in (ROOT / folder).rglob("*.py")
)
RUNNING = [path for path in SHIPPED if "starter" not in path.parts]


@pytest.mark.parametrize(("path", "name"), NAMED)
def test_a_control_names_a_test_that_exists(path: str, name: str) -> None:
    assert re.search(rf"^def {name}\(", (ROOT / path).read_text(), re.MULTILINE)


def test_every_control_names_one() -> None:
    rows = [line for line in TABLE.splitlines() if line.startswith("|")][2:]

    assert [row for row in rows if not re.search(r"`tests/[\w/]+\.py::\w+` \|$", row)] == []
    assert len(rows) == len(NAMED) > 10


def _using(paths: list[Path], pattern: str) -> list[str]:
    return [str(path.relative_to(ROOT)) for path in paths if re.search(pattern, path.read_text())]


def test_one_module_presigns() -> None:
    verifies = ROOT / "pipeline" / "local" / "s3"
    signs = [path for path in SHIPPED if verifies not in path.parents]

    pattern = r"generate_presigned|\bAWSAccessKeyId=|X-Amz-Signature"
    assert _using(signs, pattern) == ["pipeline/operations/presigning.py"]


def test_only_the_api_asks_for_what_is_presigned() -> None:
    (module,) = (path for path in SHIPPED if path.name == "presigning.py")
    others = [path for path in SHIPPED if path != module]

    assert all(path.startswith("containers/http_api/") for path in _using(others, r"\bpresign_"))


def test_nothing_that_arrives_is_run_or_unpickled() -> None:
    pattern = (
        r"import .*\bpickle\b|from pickle\b|\bpickle\.\w|\bmarshal\b|\bshelve\b"
        r"|torch\.load|allow_pickle=True|\beval\(|\bexec\(|shell="
    )

    # It reads what the same process wrote, in a file without a name.
    assert _using(RUNNING, pattern) == ["pipeline/local/moto/shelf.py"]

"""What the contract tests read with: requirements, sources, and the errors that sources raise."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.contracts.declared import read_signature
from tests.contracts.raising import errors_named
from tests.contracts.requirements import read_lock, read_names
from tests.contracts.sources import environment_uses, imported_modules

HASH = "--hash=sha256:" + 64 * "0"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "module.py"


def test_a_lock_is_pins_with_their_hashes(file: Path) -> None:
    file.write_text(f"# by make lock\nnumpy==2.4.6 ; os_name == 'nt' \\\n    {HASH}\n")

    (pin,) = read_lock(file)

    assert (pin.name, pin.version, pin.hashes) == ("numpy", "2.4.6", frozenset({HASH}))


@pytest.mark.parametrize("line", ["numpy==2.4.6", f"numpy>=2.4 {HASH}", f"numpy {HASH}", "-e ."])
def test_a_line_that_pins_nothing_is_refused(file: Path, line: str) -> None:
    file.write_text(f"{line}\n")

    with pytest.raises(ValueError, match="not pinned with hashes"):
        read_lock(file)


def test_what_is_asked_for_has_one_spelling(file: Path) -> None:
    file.write_text("# the image\nPillow\naws_lambda.powertools[tracer] # logs\n")

    assert read_names(file) == {"pillow", "aws-lambda-powertools"}


@pytest.mark.parametrize(
    "line",
    [
        "import os; os.environ['A']",
        "import os; os.getenv('A')",
        "from os import environ",
        "from os import path, getenv as read",
        "from os import *",
    ],
)
def test_every_way_to_the_environment_is_seen(file: Path, line: str) -> None:
    file.write_text(f"\n{line}\n")

    assert environment_uses(file) == [f"{file.parent.name}/module.py:2"]


def test_other_uses_of_os_are_left_alone(file: Path) -> None:
    file.write_text("import os; os.replace('a', 'b'); environ = {}; environ.get('A')")

    assert environment_uses(file) == []


def test_imports_inside_functions_count_and_those_for_types_do_not(file: Path) -> None:
    file.write_text(
        "from pipeline import photo\n"
        "if TYPE_CHECKING:\n    import numpy\n"
        "def load():\n    import onnxruntime as ort\n"
    )

    assert imported_modules(file) == {"pipeline.photo", "onnxruntime"}


def test_a_handler_without_its_decorator_is_refused(file: Path) -> None:
    file.write_text("@other(RefineEdges)\ndef handler(job: RefineEdges) -> EdgesRefined: ...\n")

    with pytest.raises(TypeError, match="not decorated with @task"):
        read_signature(file)


@pytest.mark.parametrize(
    "line",
    [
        "raise NoSubject('nothing stands out')",
        "KINDS = {'empty': NoSubject}",
        "raise find(NoSubject) from error",
    ],
)
def test_an_error_that_is_named_outside_a_test_of_its_type_may_be_raised(
    file: Path, line: str
) -> None:
    file.write_text(f"{line}\n")

    assert errors_named([file], {"NoSubject", "CorruptMedia"}) == {"NoSubject"}


@pytest.mark.parametrize(
    "line",
    [
        "from pipeline.errors import NoSubject",
        "if isinstance(error, NoSubject | CorruptMedia): count()",
        "try: f()\nexcept NoSubject: pass",
        "def f(error: NoSubject) -> NoSubject: ...",
        "hint = 'NoSubject'",
    ],
)
def test_an_error_that_is_only_imported_or_asked_for_is_not_raised(file: Path, line: str) -> None:
    file.write_text(f"{line}\n")

    assert errors_named([file], {"NoSubject"}) == frozenset()

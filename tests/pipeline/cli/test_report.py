"""Tables and lines name every file, and fit a terminal."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from rich.console import Console

from pipeline.cli import report
from pipeline.session.batch import MediaFile, Outcome
from pipeline.session.collecting import Skipped
from pipeline.session.media import PHOTO


def outcome(name: str, status: str = "DONE", reason: str = "") -> Outcome:
    shown = None if reason else Path("out", f"{name}_bg_removed.png")
    file = MediaFile(Path(f"{name}.jpg"), name, PHOTO)
    return Outcome(file, status, "net", shown=shown, reason=reason)


def table(*outcomes: Outcome) -> str:
    screen = Console(file=io.StringIO(), width=200)
    report.print_outcomes(screen, outcomes)
    assert isinstance(screen.file, io.StringIO)
    return screen.file.getvalue()


def lines(*skipped: Skipped) -> list[str]:
    said: list[str] = []
    report.print_skipped(said.append, skipped)
    return said


def test_each_photo_of_a_small_batch_has_a_row() -> None:
    shown = table(*(outcome(f"photo-{number}") for number in range(report.MOST_ROWS)))

    assert shown.count("DONE") == report.MOST_ROWS


def test_a_large_batch_has_rows_for_failures_and_counts() -> None:
    batch = [outcome(f"photo-{number}") for number in range(1_500)]

    shown = table(*batch, outcome("bad", "QUARANTINED", "NoSubject"))

    assert [line.split()[1] for line in shown.splitlines() if "NoSubject" in line] == ["bad"]
    assert "Of 1,501 photos: 1,500 DONE, 1 QUARANTINED" in shown
    assert len(shown.splitlines()) < 10
    assert table(*batch).splitlines() == ["Of 1,500 photos: 1,500 DONE"]


def test_a_single_photo_is_counted_in_the_singular() -> None:
    shown = table(outcome("bad", "QUARANTINED", "NoSubject"))

    assert shown.splitlines()[-1] == "Of 1 photo: 1 QUARANTINED"


def test_skipped_files_have_a_line_for_each_reason() -> None:
    many = [Skipped(Path(f"{number}.json"), "written by Matteline") for number in range(1_012)]

    said = lines(*many, Skipped(Path("pipe"), "a named pipe"))

    assert said[0].startswith("SKIPPED 1,012 (written by Matteline): 0.json, 1.json, ")
    assert said[0].endswith(", 7.json and 1,004 more")
    assert said[1] == "SKIPPED 1 (a named pipe): pipe"


@pytest.mark.parametrize(
    ("name", "shown"),
    [("a\nb", "a\\nb"), ("\x1b[31m", "\\x1b[31m"), ("\udcff", "\\udcff"), ("café [1]", "café [1]")],
)
def test_a_name_cannot_write_to_the_terminal(name: str, shown: str) -> None:
    assert lines(Skipped(Path(name), "hidden")) == [f"SKIPPED 1 (hidden): {shown}"]
    assert shown in table(outcome(name))
    assert name == shown or name not in table(outcome(name))

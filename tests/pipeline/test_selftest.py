"""A self-test ends with one line of JSON and an exit code."""

from __future__ import annotations

import json

import pytest

from pipeline.selftest import Trial, selftest

pytestmark = pytest.mark.usefixtures("fresh_workbench")


def wrong(trial: Trial) -> None:
    trial.expect("sum", 4, 4)
    trial.expect("colour", "blue", "red")


def right(trial: Trial) -> None:
    trial.expect("sum", 4, 4)


@pytest.mark.parametrize(
    ("check", "status", "expected"),
    [
        (right, 0, {"passed": True, "seen": {"sum": 4}}),
        (wrong, 1, {"passed": False, "seen": {"sum": 4}, "reason": "colour is 'blue', not 'red'"}),
    ],
)
def test_the_verdict_has_the_results_and_whether_all_were_right(
    check: object, status: int, expected: dict[str, object], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        selftest("greeter", check)  # type: ignore[arg-type]

    verdict = json.loads(capsys.readouterr().out)
    assert ended.value.code == status
    assert {name: verdict[name] for name in expected} == expected
    assert verdict["selftest"] == "greeter"

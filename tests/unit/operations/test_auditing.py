"""What counts as done twice."""

from __future__ import annotations

import pytest

from pipeline.operations.auditing import _doubled
from pipeline.operations.executions import Execution
from pipeline.operations.findings import DOUBLED


def done(job_id: str, *, forced: bool = False, ended_as: str = "DONE") -> Execution:
    output = {"status": ended_as, "job_id": job_id}
    return Execution("arn", "SUCCEEDED", {"force": forced}, output, None, None)


@pytest.mark.parametrize(
    ("executions", "doubled"),
    [
        pytest.param([done("j"), done("j")], ["j"], id="twice"),
        pytest.param([done("j"), done("k")], [], id="two jobs"),
        pytest.param([done("j"), done("j", forced=True)], [], id="once more by force"),
        pytest.param([done("j"), done("j", ended_as="DUPLICATE")], [], id="a duplicate"),
        pytest.param([Execution("arn", "RUNNING", {}, {}, None, None)], [], id="not yet"),
    ],
)
def test_a_job_is_doubled_if_it_was_cut_out_twice_and_nobody_forced_it(
    executions: list[Execution], doubled: list[str]
) -> None:
    findings = list(_doubled(executions))

    assert [(finding.kind, finding.what) for finding in findings] == [
        (DOUBLED, job_id) for job_id in doubled
    ]

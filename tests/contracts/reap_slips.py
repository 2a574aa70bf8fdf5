"""Slips in how dead jobs are closed, each with what a rule has to say."""

from __future__ import annotations

from typing import Final

from tests.contracts import reap_rules, task_rules
from tests.contracts.mutations import drop, put
from tests.contracts.slips import Slip

_JOB: Final = "States/CloseDead/ItemProcessor/States"

REAPING: Final = (
    Slip(
        reap_rules.every_page_is_read,
        put("States/FindMore/Parameters/Limit", 50),
        "FindMore: does not ask what FindRunning asks",
        machine="reap-jobs",
    ),
    Slip(
        reap_rules.every_page_is_read,
        put("States/PageFull?/Choices/0/NumericEquals", 101),
        "PageFull?: a page is full at 100",
        machine="reap-jobs",
    ),
    Slip(
        reap_rules.every_page_is_read,
        put("States/GoOn/Parameters/Input/after.$", "$.page.jobs[0].job_id.S"),
        "GoOn: the last job of a full page is $.page.jobs[99].job_id.S",
        machine="reap-jobs",
    ),
    Slip(
        reap_rules.only_bad_ends_are_closed,
        put(f"{_JOB}/EndedBadly?/Choices/0/StringEquals", "RUNNING"),
        "EndedBadly?: RUNNING is closed here or recorded there, and not both",
        machine="reap-jobs",
    ),
    Slip(
        reap_rules.only_bad_ends_are_closed,
        put(f"{_JOB}/EndedBadly?/Default", "SayHow"),
        "EndedBadly?: any other status leads to RecordEnd",
        machine="reap-jobs",
    ),
    Slip(
        reap_rules.the_recorder_is_told_what_it_reads,
        drop(f"{_JOB}/RecordEnd/Parameters/Input/detail/stopDate.$"),
        "RecordEnd: the recorder reads detail.stopDate",
        machine="reap-jobs",
    ),
    Slip(
        task_rules.children_time_out_first,
        put("States/GoOn/ResultPath", "$.started"),
        "GoOn: does not wait for the machine it starts",
        machine="reap-jobs",
    ),
)

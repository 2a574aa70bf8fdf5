"""Every recording of the corpus is read as it must be, or is refused by one name.

Each has a process of its own, in which the kernel lets nothing be opened.
"""

from __future__ import annotations

import re
from itertools import chain
from typing import Final

import pytest

from tests.hostile.case import Note
from tests.hostile.recordings import damage, elements, films, pages, playlists, streams, waves
from tests.hostile.recordings.case import READ, Case
from tests.hostile.recordings.cell import Question
from tests.hostile.recordings.warder import Warder

MOST_MB: Final = 128  # beside what the process holds before
MOST_CPU_S: Final = 25
CORPUS: Final = tuple(
    chain(
        waves.cases(),
        streams.cases(),
        pages.cases(),
        films.cases(),
        elements.cases(),
        playlists.cases(),
        damage.cases(),
    )
)


@pytest.mark.timeout(90)
@pytest.mark.parametrize("case", CORPUS, ids=lambda case: ascii(case.name)[1:-1])
def test_a_recording_is_read_or_refused_by_name(
    warder: Warder, case: Case, record_property: Note
) -> None:
    asked = Question(case.key, case.content(), case.metadata, case.options, case.heard)

    answer = warder.ask(asked)

    record_property("end", answer["end"])
    assert answer["end"] == case.end, answer.get("message")
    assert "object at 0x" not in answer.get("message", "")
    assert answer["took_mb"] <= MOST_MB
    assert answer["cpu_s"] <= MOST_CPU_S
    if case.end == READ:
        recording = answer["recording"]
        least, most = case.seconds
        assert least <= recording["duration_s"] <= most
        assert case.shape in {None, (recording["rate"], recording["channels"])}
        assert case.heard is None or answer["changed"] <= case.error
        if case.remarks is not None:
            assert len(recording["remarks"]) == len(case.remarks), recording["remarks"]
            assert all(map(re.search, case.remarks, recording["remarks"])), recording["remarks"]


def test_names_of_cases_differ() -> None:
    names = [case.name for case in CORPUS]

    assert sorted(set(names)) == sorted(names)

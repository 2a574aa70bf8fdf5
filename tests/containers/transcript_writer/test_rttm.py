"""RTTM has one line of ten fields for each turn."""

from __future__ import annotations

import pytest

from containers.transcript_writer.rttm import render_rttm
from containers.transcript_writer.speakers import Speakers, SpokenTurn

TURNS = (SpokenTurn(1_000, 2_500, "SPEAKER_00"), SpokenTurn(2_007, 3_723_004, "SPEAKER_01"))


def test_a_turn_is_a_line_with_its_start_and_length_in_seconds() -> None:
    assert render_rttm(Speakers(TURNS), "talks/talk") == (
        "SPEAKER talk 1 1.000 1.500 <NA> <NA> SPEAKER_00 <NA> <NA>\n"
        "SPEAKER talk 1 2.007 3720.997 <NA> <NA> SPEAKER_01 <NA> <NA>\n"
    )


@pytest.mark.parametrize(
    ("stem", "name"),
    [
        ("a b/my talk", "my_talk"),
        ("x/Grüße\u2028und\tmehr", "Grüße_und_mehr"),
        ('x/"quoted" <b>', "_quoted_b_"),
        ("x/ ", "_"),
    ],
)
def test_a_files_name_is_one_field(stem: str, name: str) -> None:
    (line, *_) = render_rttm(Speakers(TURNS), stem).splitlines()

    assert line.split() == [
        "SPEAKER", name, "1", "1.000", "1.500", "<NA>", "<NA>", "SPEAKER_00", "<NA>", "<NA>",
    ]  # fmt: skip


def test_nobody_speaks_in_an_empty_file() -> None:
    assert render_rttm(Speakers(()), "talk") == ""

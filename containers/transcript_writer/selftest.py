"""`python -m containers.transcript_writer.selftest`: two windows become one transcript."""

from __future__ import annotations

from typing import Final

from containers.transcript_writer.handler import handler
from pipeline.contracts.transcript import TranscriptWritten
from pipeline.selftest import Trial, selftest

SUBTITLES: Final = """\
1
00:00:01,000 --> 00:00:02,900
SPEAKER_00: The first window ends here.

2
00:30:31,000 --> 00:30:32,917
SPEAKER_01: Das zweite ist auf Deutsch,

3
00:30:33,000 --> 00:30:34,900
SPEAKER_00: und es hat mehr Wörter.
"""
TURNS: Final = """\
SPEAKER smoke 1 0.900 2.100 <NA> <NA> SPEAKER_00 <NA> <NA>
SPEAKER smoke 1 1830.900 2.050 <NA> <NA> SPEAKER_01 <NA> <NA>
SPEAKER smoke 1 1832.950 2.050 <NA> <NA> SPEAKER_00 <NA> <NA>
"""


def check(trial: Trial) -> None:
    """Check the subtitles and turns of the golden event to the letter."""
    files = {file.kind: file.artifact for file in trial.run(handler, TranscriptWritten).files}

    trial.expect("subtitles", trial.read(files["srt"]).decode(), SUBTITLES)
    trial.expect("turns", trial.read(files["speakers"]).decode(), TURNS)


if __name__ == "__main__":
    selftest("transcript-writer", check)

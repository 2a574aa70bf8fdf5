"""`python -m containers.transcript_writer.selftest`: two windows become one transcript."""

from __future__ import annotations

from typing import Final

from containers.transcript_writer.handler import handler
from pipeline.contracts.transcript import TranscriptWritten
from pipeline.selftest import Trial, selftest

SUBTITLES: Final = """\
1
00:00:01,000 --> 00:00:02,900
The first window ends here.

2
00:00:31,000 --> 00:00:34,900
Das zweite ist auf Deutsch,
und es hat mehr Wörter.
"""


def check(trial: Trial) -> None:
    """Check the subtitles of the golden event to the letter."""
    files = {file.kind: file.artifact for file in trial.run(handler, TranscriptWritten).files}

    trial.expect("subtitles", trial.read(files["srt"]).decode(), SUBTITLES)


if __name__ == "__main__":
    selftest("transcript-writer", check)

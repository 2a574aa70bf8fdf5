"""Write who speaks when as RTTM (NIST, Rich Transcription Time Marked)."""

from __future__ import annotations

import re
from typing import Final

from containers.transcript_writer.speakers import Speakers

_UNFIT: Final = re.compile(r"[^\w.-]+")  # readers split fields at spaces, and some know quotes


def render_rttm(speakers: Speakers, output_stem: str) -> str:
    """Return a SPEAKER line for each turn; the file is named as the recording is, without folders.

    Times are seconds; the channel is 1. Turns of two speakers may overlap.
    """
    name = _UNFIT.sub("_", output_stem.rpartition("/")[2])
    return "".join(
        f"SPEAKER {name} 1 {turn.start / 1000:.3f} {(turn.end - turn.start) / 1000:.3f} "
        f"<NA> <NA> {turn.speaker} <NA> <NA>\n"
        for turn in speakers.turns
    )

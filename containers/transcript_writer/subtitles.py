"""Write cues as SubRip (.srt) and WebVTT (.vtt)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from containers.transcript_writer.cues import Cue
from containers.transcript_writer.scripts import RIGHT_TO_LEFT

# Players lay a line out from left to right, or by its first letter, so the full stop of a Hebrew
# line, or a Latin name before it, ends up on the wrong side. Subtitle Edit's fix, "Fix RTL via
# Unicode control characters", is this embedding; older players know no isolates (U+2067).
_EMBED: Final = "\u202b"
_POP: Final = "\u202c"
_ESCAPED: Final = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;"})


def render_srt(cues: Iterable[Cue]) -> str:
    """Return the text of an .srt file. SubRip has no escapes: text stays as it is."""
    blocks = (
        f"{number}\n{_clock(cue.start, ',')} --> {_clock(cue.end, ',')}\n{_text(cue)}\n"
        for number, cue in enumerate(cues, start=1)
    )
    return "\n".join(blocks)


def render_vtt(cues: Iterable[Cue]) -> str:
    """Return the text of a .vtt file (W3C WebVTT), with a voice tag where the speaker is known."""
    blocks = (
        f"{_clock(cue.start, '.')} --> {_clock(cue.end, '.')}\n"
        f"{_voice(cue)}{_text(cue).translate(_ESCAPED)}\n"
        for cue in cues
    )
    return "\n".join(("WEBVTT\n", *blocks))


def _voice(cue: Cue) -> str:
    """Return the start of the voice span; at the end of a cue it may stay open."""
    return f"<v {cue.speaker.translate(_ESCAPED)}>" if cue.speaker else ""


def _text(cue: Cue) -> str:
    if cue.language in RIGHT_TO_LEFT:
        return "\n".join(f"{_EMBED}{line}{_POP}" for line in cue.lines)
    return "\n".join(cue.lines)


def _clock(milliseconds: int, point: str) -> str:
    seconds, rest = divmod(milliseconds, 1000)
    return f"{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}{point}{rest:03}"

"""Sum up what all windows and all parts took and how well they went."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Final

from containers.transcript_writer.windows import TranscribedWindow
from pipeline.contracts.speakers import PartSpeakers
from pipeline.contracts.transcript import Recording, WindowsDone, WindowTranscript

# Sentences. The result goes through the execution's state, which must stay small.
_MOST_REMARKS: Final = 40


def sum_up(done: Sequence[WindowTranscript | PartSpeakers]) -> WindowsDone:
    """Return the sum of each metric over windows or parts, and the containers that made them."""
    total = Counter[str]()
    for each in done:
        total.update(each.metrics)
    made_by = dict.fromkeys(each.provenance for each in done if each.provenance)
    metrics = {name: round(value, 3) for name, value in total.items()}
    return WindowsDone(windows=len(done), metrics=metrics, provenance=tuple(made_by))


def coverage_of(windows: Sequence[TranscribedWindow]) -> float:
    """Return the share of all speech, by time, that segments cover; 1 if nobody speaks."""
    speech = [sum(span.end - span.start for span in window.speech) for window, _ in windows]
    covered = sum(share * said.coverage for share, (_, said) in zip(speech, windows, strict=True))
    return round(covered / sum(speech), 4) if sum(speech) else 1.0


def weights_of(windows: Sequence[TranscribedWindow]) -> str | None:
    """Return the digest of the speech model's weights; None if the windows have no single one."""
    digests = {said.weights_sha256 for _, said in windows}
    return digests.pop() if len(digests) == 1 else None


def remarks_of(
    recording: Recording,
    windows: Sequence[TranscribedWindow],
    parts: Sequence[PartSpeakers] = (),
    speakers: Iterable[str] = (),
) -> tuple[str, ...]:
    """Return the remarks on the recording, its speakers, windows and parts, each sentence once."""
    remarks = dict.fromkeys((*recording.remarks, *speakers))
    remarks |= dict.fromkeys(remark for _, said in windows for remark in said.remarks)
    if len({said.weights_sha256 for _, said in windows}) > 1:
        remarks["The windows were transcribed with different versions of the weights."] = None
    remarks |= dict.fromkeys(remark for part in parts for remark in part.remarks)
    if len({part.weights_sha256 for part in parts}) > 1:
        remarks["Speakers were told apart with different versions of the weights."] = None
    if len(remarks) <= _MOST_REMARKS:
        return tuple(remarks)
    left = len(remarks) - _MOST_REMARKS
    return (*tuple(remarks)[:_MOST_REMARKS], f"There are {left} more remarks of this kind.")

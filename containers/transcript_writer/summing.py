"""Sum up what all windows took and how well they went."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Final

from containers.transcript_writer.windows import TranscribedWindow
from pipeline.contracts.transcript import Recording, WindowsDone

# Sentences. The result goes through the execution's state, which must stay small.
_MOST_REMARKS: Final = 40


def sum_windows(windows: Sequence[TranscribedWindow]) -> WindowsDone:
    """Return the sum of each metric over all windows, and the containers that made them."""
    total = Counter[str]()
    for _, said in windows:
        total.update(said.metrics)
    made_by = dict.fromkeys(said.provenance for _, said in windows if said.provenance)
    metrics = {name: round(value, 3) for name, value in total.items()}
    return WindowsDone(windows=len(windows), metrics=metrics, provenance=tuple(made_by))


def coverage_of(windows: Sequence[TranscribedWindow]) -> float:
    """Return the share of all speech, by time, that segments cover; 1 if nobody speaks."""
    speech = [sum(span.end - span.start for span in window.speech) for window, _ in windows]
    covered = sum(share * said.coverage for share, (_, said) in zip(speech, windows, strict=True))
    return round(covered / sum(speech), 4) if sum(speech) else 1.0


def weights_of(windows: Sequence[TranscribedWindow]) -> str | None:
    """Return the digest of the speech model's weights; None if the windows have no single one."""
    digests = {said.weights_sha256 for _, said in windows}
    return digests.pop() if len(digests) == 1 else None


def remarks_of(recording: Recording, windows: Sequence[TranscribedWindow]) -> tuple[str, ...]:
    """Return the remarks on the recording and on its windows, each sentence once."""
    remarks = dict.fromkeys(recording.remarks)
    remarks |= dict.fromkeys(remark for _, said in windows for remark in said.remarks)
    if len({said.weights_sha256 for _, said in windows}) > 1:
        remarks["The windows were transcribed with different versions of the weights."] = None
    if len(remarks) <= _MOST_REMARKS:
        return tuple(remarks)
    left = len(remarks) - _MOST_REMARKS
    return (*tuple(remarks)[:_MOST_REMARKS], f"There are {left} more remarks of this kind.")

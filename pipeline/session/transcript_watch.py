"""Notice how much of each recording is done, from the answers of its functions and jobs.

Each task that listens counts by itself: an hour that is transcribed, diarized and tagged is three
hours. The history of an execution would say the same, but has to be asked for, and grows with each
window.
"""

from __future__ import annotations

import json
import logging
import threading
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, TypeVar

from botocore.exceptions import BotoCoreError, ClientError

from pipeline.artifacts import Location
from pipeline.contracts.audio_windows import AudioPlan
from pipeline.contracts.contract import InspectMedia
from pipeline.contracts.sounds import TagAudio
from pipeline.contracts.speakers import Diarize, parts_of
from pipeline.contracts.transcript import ReadAudio, Transcribe, TranscriptOptions
from pipeline.declared.names import LOCAL_NAMES
from pipeline.session.run_messages import TranscriptProgress

if TYPE_CHECKING:
    from pipeline.local.batch.job import Job as BatchJob
    from pipeline.local.cloud import LocalCloud
    from pipeline.local.runtime_api import Answer

_LOG: Final = logging.getLogger(__name__)
_MOST_RECORDINGS: Final = 100  # of which it is remembered how far they are
# The tasks that are counted, and the field of their jobs that says what was done.
_PIECES: Final = {Transcribe.__name__: "window", Diarize.__name__: "part", TagAudio.__name__: None}
_TOLD: Final = {InspectMedia.__name__, ReadAudio.__name__, *_PIECES}

T = TypeVar("T")
Piece = tuple[str, int | None]  # a task, and the window or part that it does, if it does several


@dataclass
class _Recording:
    """A recording's key, the seconds of each piece of work on it, and the pieces that are done."""

    key: str
    pieces: dict[Piece, float]
    done: set[Piece] = field(default_factory=set)

    @property
    def progress(self) -> TranscriptProgress:
        done_s = sum(self.pieces[piece] for piece in self.done)
        return TranscriptProgress(self.key, done_s, sum(self.pieces.values()))


class TranscriptWatch:
    """Tells of each piece that is done, and of the whole when a recording has been read."""

    def __init__(self, cloud: LocalCloud, tell: Callable[[TranscriptProgress], None]) -> None:
        self._cloud = cloud
        self._tell = tell
        blueprint = cloud.blueprint
        declared = [(each.name(LOCAL_NAMES), each.manifest.job) for each in blueprint.functions]
        declared += [(each.name(LOCAL_NAMES), each.manifest.job) for each in blueprint.jobs]
        self._jobs = {name: job for name, job in declared if job in _TOLD}
        self._lock = threading.Lock()
        # By job: what was asked for, until it is read; then how far it is.
        self._asked: OrderedDict[str, TranscriptOptions] = OrderedDict()
        self._recordings: OrderedDict[str, _Recording] = OrderedDict()

    def answered(self, name: str, payload: bytes, answer: Answer) -> None:
        """Take note of a function's answer; those of other functions cost nothing."""
        job = self._jobs.get(name)
        if job is None or answer.failed:
            return
        asked = json.loads(payload)
        if job == InspectMedia.__name__:
            if asked["product"] == "transcript":
                self._inspected(json.loads(answer.payload)["job"])
        elif job == ReadAudio.__name__:
            self._read(asked, json.loads(answer.payload))
        else:
            self._piece_answered(job, asked)

    def ran(self, ended: BatchJob) -> None:
        """Take note of a job of AWS Batch that did what a function may do."""
        job = self._jobs.get(ended.definition.name)
        if job is None or ended.status != "SUCCEEDED":
            return
        asked, outcome = (self._read_json(ended.parameters[name]) for name in ("job", "outcome"))
        if asked and outcome and outcome["error"] is None:
            self._piece_answered(job, asked)

    def _piece_answered(self, job: str, asked: Any) -> None:
        if "speech_model" not in asked:  # the transcriber aligns words afterwards
            field_name = _PIECES[job]
            self._piece_done(asked["job_id"], (job, asked[field_name] if field_name else None))

    def _inspected(self, job: Any) -> None:
        with self._lock:
            options = TranscriptOptions.model_validate(job["options"])
            _remember(self._asked, job["job_id"], options)

    def _read(self, asked: Any, result: Any) -> None:
        read = self._read_json(result["plan"]["uri"])
        if read is None:
            return
        plan = AudioPlan.model_validate(read)
        with self._lock:
            options = self._asked.pop(asked["job_id"], None)
            recording = _Recording(asked["source"]["key"], _pieces(plan, options))
            _remember(self._recordings, asked["job_id"], recording)
        self._tell(recording.progress)

    def _read_json(self, uri: str) -> Any:
        """Return the JSON of an object; None if the cloud is about to stop."""
        place = Location.parse(uri)
        try:
            stored = self._cloud.client("s3").get_object(Bucket=place.bucket, Key=place.key)
            return json.loads(stored["Body"].read())
        except (BotoCoreError, ClientError):
            _LOG.exception("%s cannot be read, so progress is not told", uri)
            return None

    def _piece_done(self, job_id: str, piece: Piece) -> None:
        with self._lock:
            recording = self._recordings.get(job_id)
            if recording is None or piece not in recording.pieces:
                return
            recording.done.add(piece)
            progress = recording.progress
        self._tell(progress)


def _pieces(plan: AudioPlan, options: TranscriptOptions | None) -> dict[Piece, float]:
    """Return the seconds that each task listens to, window by window or part by part."""
    pieces: dict[Piece, float] = {
        (Transcribe.__name__, window.index): window.end - window.start for window in plan.windows
    }
    if options and options.diarize:
        for part, windows in parts_of(plan.windows).items():
            pieces[Diarize.__name__, part] = sum(each.end - each.start for each in windows)
    if options and options.tags:
        pieces[TagAudio.__name__, None] = plan.duration_s
    return pieces


def _remember(known: OrderedDict[str, T], job_id: str, value: T) -> None:
    known[job_id] = value
    while len(known) > _MOST_RECORDINGS:
        known.popitem(last=False)

"""Notice how much of each recording is transcribed, from the answers of its functions.

The history of an execution would say the same, but has to be asked for, and grows with each window.
"""

from __future__ import annotations

import json
import logging
import threading
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from botocore.exceptions import BotoCoreError, ClientError

from pipeline.artifacts import Location
from pipeline.contracts.transcript import ReadAudio, Transcribe
from pipeline.declared.names import LOCAL_NAMES
from pipeline.session.run_messages import TranscriptProgress

if TYPE_CHECKING:
    from pipeline.local.cloud import LocalCloud
    from pipeline.local.runtime_api import Answer

_LOG: Final = logging.getLogger(__name__)
_MOST_RECORDINGS: Final = 100  # of which it is remembered how far they are


@dataclass
class _Recording:
    """A recording's key, the seconds of each of its windows, and the windows that are done."""

    key: str
    windows: dict[int, float]
    done: set[int] = field(default_factory=set)

    @property
    def progress(self) -> TranscriptProgress:
        done_s = sum(self.windows[index] for index in self.done)
        return TranscriptProgress(self.key, done_s, sum(self.windows.values()))


class TranscriptWatch:
    """Tells of each window that is transcribed, and of the whole when a recording has been read."""

    def __init__(self, cloud: LocalCloud, tell: Callable[[TranscriptProgress], None]) -> None:
        self._cloud = cloud
        self._tell = tell
        self._jobs = {
            each.name(LOCAL_NAMES): each.manifest.job
            for each in cloud.blueprint.functions
            if each.manifest.job in {ReadAudio.__name__, Transcribe.__name__}
        }
        self._lock = threading.Lock()
        self._recordings: OrderedDict[str, _Recording] = OrderedDict()  # by job

    def answered(self, name: str, payload: bytes, answer: Answer) -> None:
        """Take note of a function's answer; those of other functions cost nothing."""
        job = self._jobs.get(name)
        if job is None or answer.failed:
            return
        asked = json.loads(payload)
        if job == ReadAudio.__name__:
            self._read(asked, json.loads(answer.payload))
        elif "speech_model" not in asked:  # the same function aligns words afterwards
            self._transcribed(asked)

    def _read(self, asked: Any, result: Any) -> None:
        plan = Location.parse(result["plan"]["uri"])
        try:
            stored = self._cloud.client("s3").get_object(Bucket=plan.bucket, Key=plan.key)
            windows = json.load(stored["Body"])["windows"]
        except (BotoCoreError, ClientError):
            _LOG.exception("how long the windows are cannot be read")
            return
        recording = _Recording(
            asked["source"]["key"],
            {window["index"]: window["end"] - window["start"] for window in windows},
        )
        with self._lock:
            self._recordings[asked["job_id"]] = recording
            while len(self._recordings) > _MOST_RECORDINGS:
                self._recordings.popitem(last=False)
        self._tell(recording.progress)

    def _transcribed(self, asked: Any) -> None:
        with self._lock:
            recording = self._recordings.get(asked["job_id"])
            if recording is None:
                return
            recording.done.add(asked["window"])
            progress = recording.progress
        self._tell(progress)

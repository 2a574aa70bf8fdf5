"""What a test has written into a recording: how many windows it has, and which task fails."""

from __future__ import annotations

import json
import os
from typing import Final

from pydantic import BaseModel, ConfigDict

from pipeline.artifacts import ArtifactStore, Location
from pipeline.contracts.contract import Job
from pipeline.errors import PipelineError, WeightsNotStaged, leaves

FLAC: Final = b"fLaC"
EXIT: Final = "exit"  # in place of an error: the process ends
ALWAYS: Final = "always "
ONCE: Final = "once "
UNTIL_REPLAYED: Final = "until replayed "
TRIED: Final = "tried"  # a folder of the work bucket: one object for each call of a task


class Script(BaseModel):
    """`fails` has errors by `<model>` or `<model>/<window>`; `sound` is false for a silent film.

    A part has its own index in the window's place. The error WeightsNotStaged is raised until the
    model has been staged again, by whatever execution, unless `ALWAYS` is before it. An error after
    `ONCE` is raised at an execution's first call only, and one after `UNTIL_REPLAYED` in the first
    execution only.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    windows: int = 0
    sound: bool = True
    fails: dict[str, str] = {}
    padding: str = ""  # what tells recordings apart that say the same

    def recording(self) -> bytes:
        """Return the recording: the first bytes of a format, and this."""
        return FLAC + self.model_dump_json().encode()

    @classmethod
    def read(cls, recording: bytes) -> Script:
        return cls.model_validate_json(recording.removeprefix(FLAC))

    def act(self, job: Job, store: ArtifactStore, *, model: str, index: int | None = None) -> None:
        """Note the call, and raise the error that this script has for it."""
        name = model if index is None else f"{model}/{index}"
        note = Location(job.work_bucket, f"{TRIED}/{job.execution}/{name}")  # type: ignore[attr-defined]
        count = _read(store, note)
        store.write(note, str(int(count or 0) + 1).encode(), media_type="text/plain")
        error = self.fails.get(name)
        if error is None:
            return
        replayed = ":replay-" in job.execution  # type: ignore[attr-defined]
        if (error.startswith(ONCE) and count) or (error.startswith(UNTIL_REPLAYED) and replayed):
            return
        if error == EXIT:
            os._exit(1)
        if error == WeightsNotStaged.__name__:
            place = Location(job.models_bucket, job.weights_key)  # type: ignore[attr-defined]
            if json.loads(store.read(place))["forced"]:
                return
        error = error.removeprefix(ALWAYS).removeprefix(ONCE).removeprefix(UNTIL_REPLAYED)
        raise leaves(PipelineError)[error](f"{name} was told to fail")


def _read(store: ArtifactStore, place: Location) -> bytes | None:
    try:
        return store.read(place)
    except KeyError:
        return None

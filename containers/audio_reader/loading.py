"""Load the network that a job names."""

from __future__ import annotations

from typing import Final

from containers.audio_reader.network import open_network
from containers.audio_reader.speech import Thresholds
from containers.audio_reader.voice import Voice
from containers.audio_reader.windows import Windower
from pipeline.contracts.transcript import ReadAudio
from pipeline.model_context import catalogue_of, staged_record, weights_of
from pipeline.workbench import TaskContext

CONTAINER: Final = "audio-reader"


def load_windower(job: ReadAudio, context: TaskContext) -> Windower:
    """Return what finds the windows of one recording.

    Raises WeightsNotStaged or WeightsMismatch.
    """
    row = catalogue_of(context.bench, CONTAINER).row(job.model)
    (file,) = weights_of(context.bench).files(staged_record(job), row)
    return Windower(Voice(open_network(file.path)).probability, row.spec(Thresholds))

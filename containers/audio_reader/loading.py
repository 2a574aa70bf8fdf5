"""Load the network that a job names."""

from __future__ import annotations

from typing import Final

from containers.audio_reader.network import open_network
from containers.audio_reader.speech import Thresholds
from containers.audio_reader.voice import Voice
from containers.audio_reader.windows import Windower
from pipeline.artifacts import Location
from pipeline.contracts.transcript import ReadAudio
from pipeline.errors import WeightsNotStaged
from pipeline.model_context import catalogue_of, weights_of
from pipeline.workbench import TaskContext

CONTAINER: Final = "audio-reader"


def load_windower(job: ReadAudio, context: TaskContext) -> Windower:
    """Return what finds the windows of one recording.

    Raises WeightsNotStaged or WeightsMismatch.
    """
    row = catalogue_of(context.bench, CONTAINER).row(job.model)
    if job.weights_key is None:
        raise WeightsNotStaged(f"the job has no staged weights of {row.name}")
    staged = Location(job.models_bucket, job.weights_key)
    (file,) = weights_of(context.bench).files(staged, row)
    return Windower(Voice(open_network(file.path)).probability, row.spec(Thresholds))

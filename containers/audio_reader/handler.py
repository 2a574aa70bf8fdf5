"""ReadAudio: the sound of a recording, and the windows in which somebody speaks."""

from containers.audio_reader.jobs import read_audio
from pipeline.contracts.transcript import AudioRead, ReadAudio
from pipeline.task import task
from pipeline.workbench import TaskContext


@task(ReadAudio)
def handler(job: ReadAudio, context: TaskContext) -> AudioRead:
    """Return what was decoded, and where its windows are."""
    return read_audio(job, context)

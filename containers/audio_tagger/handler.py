"""TagAudio: what sounds in a recording, and when."""

from pipeline.contracts.sounds import AudioTagged, TagAudio
from pipeline.task import task
from pipeline.workbench import TaskContext


@task(TagAudio)
def handler(job: TagAudio, context: TaskContext) -> AudioTagged:
    """Raise NotImplementedError: this container has no network yet."""
    raise NotImplementedError

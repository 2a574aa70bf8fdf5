"""TagAudio: name the sounds in a recording, and when they are heard."""

from containers.audio_tagger.tagging import tag_audio
from pipeline.contracts.sounds import AudioTagged, TagAudio
from pipeline.task import task
from pipeline.workbench import TaskContext


@task(TagAudio)
def handler(job: TagAudio, context: TaskContext) -> AudioTagged:
    """Write all labels with their times to the work bucket."""
    return tag_audio(job, context)

"""WriteTranscript: join the windows into one transcript, and write it in every format."""

from containers.transcript_writer.writing import write_transcript
from pipeline.contracts.transcript import TranscriptWritten, WriteTranscript
from pipeline.task import task
from pipeline.workbench import TaskContext


@task(WriteTranscript)
def handler(job: WriteTranscript, context: TaskContext) -> TranscriptWritten:
    """Write the transcript's files. Raises WindowMissing or PartMissing: the platform's fault."""
    return write_transcript(job, context)

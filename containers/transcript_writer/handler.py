"""WriteTranscript: join the windows into one transcript, and write it in every format."""

from containers.transcript_writer.files import store_files
from containers.transcript_writer.stitching import stitch
from containers.transcript_writer.summing import coverage_of, remarks_of, sum_windows, weights_of
from containers.transcript_writer.windows import read_windows
from pipeline.contracts.transcript import TranscriptWritten, WriteTranscript
from pipeline.task import task
from pipeline.workbench import TaskContext


@task(WriteTranscript)
def handler(job: WriteTranscript, context: TaskContext) -> TranscriptWritten:
    """Write the transcript's files. Raises WindowMissing if a window of the plan is missing."""
    with context.timed("read"):
        windows = read_windows(context.store, job)
    with context.timed("stitch"):
        transcript = stitch(windows, duration_s=job.recording.duration_s)
    with context.timed("write"):
        files = store_files(transcript, job, context.store)
    return TranscriptWritten(
        files=files, languages=transcript.languages, words=transcript.words,
        coverage=coverage_of(windows), weights_sha256=weights_of(windows),
        remarks=remarks_of(job.recording, windows), windows=sum_windows(windows),
        speakers=None, diarized=None,
    )  # fmt: skip

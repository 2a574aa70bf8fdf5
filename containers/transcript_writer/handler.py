"""WriteTranscript: join the windows into one transcript, and write it in every format."""

from containers.transcript_writer.attribution import attribute
from containers.transcript_writer.files import store_files
from containers.transcript_writer.parts import read_parts
from containers.transcript_writer.speakers import tell_apart
from containers.transcript_writer.stitching import stitch
from containers.transcript_writer.summing import coverage_of, remarks_of, sum_up, weights_of
from containers.transcript_writer.windows import read_windows
from pipeline.contracts.transcript import TranscriptWritten, WriteTranscript
from pipeline.task import task
from pipeline.workbench import TaskContext


@task(WriteTranscript)
def handler(job: WriteTranscript, context: TaskContext) -> TranscriptWritten:
    """Write the transcript's files.

    Raises WindowMissing or PartMissing if a window or a part of the plan is missing.
    """
    with context.timed("read"):
        windows = read_windows(context.store, job)
        parts = read_parts(context.store, job, windows)
    with context.timed("link"):
        speakers = tell_apart(parts, job) if job.speaker_model else None
    with context.timed("stitch"):
        transcript = stitch(windows, duration_s=job.recording.duration_s)
        if speakers:
            transcript = attribute(transcript, speakers.turns)
    with context.timed("write"):
        files = store_files(transcript, speakers, job, context.store)
    return TranscriptWritten(
        files=files,
        languages=transcript.languages,
        words=transcript.words,
        coverage=coverage_of(windows),
        weights_sha256=weights_of(windows),
        remarks=remarks_of(job.recording, windows, parts, speakers.remarks if speakers else ()),
        windows=sum_up([said for _, said in windows]),
        speakers=speakers.seconds if speakers else None,
        diarized=sum_up(parts) if speakers else None,
    )

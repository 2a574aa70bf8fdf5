"""Read what was said and who spoke, join it, write the files, and sum up."""

from __future__ import annotations

from containers.transcript_writer.attribution import attribute
from containers.transcript_writer.files import store_files
from containers.transcript_writer.parts import read_parts
from containers.transcript_writer.speakers import tell_apart
from containers.transcript_writer.stitching import stitch
from containers.transcript_writer.summing import coverage_of, remarks_of, sum_up, weights_of
from containers.transcript_writer.windows import read_windows
from pipeline.contracts.transcript import TranscriptWritten, WriteTranscript
from pipeline.workbench import TaskContext


def write_transcript(job: WriteTranscript, context: TaskContext) -> TranscriptWritten:
    """Write the files of a transcript, with speakers if the job names their model."""
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

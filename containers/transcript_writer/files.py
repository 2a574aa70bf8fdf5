"""Write the transcript's files to the work bucket."""

from __future__ import annotations

from typing import Final

from containers.transcript_writer.cues import cues_of
from containers.transcript_writer.document import render_json
from containers.transcript_writer.paragraphs import render_text
from containers.transcript_writer.rttm import render_rttm
from containers.transcript_writer.speakers import Speakers
from containers.transcript_writer.stitching import Transcript
from containers.transcript_writer.subtitles import render_srt, render_vtt
from pipeline.artifacts import ArtifactStore, Location
from pipeline.contracts.transcript import WriteTranscript
from pipeline.contracts.transcript_files import TranscriptFile, TranscriptKind, output_key

# IANA has no type for SubRip; players and file managers know this one.
_MEDIA_TYPES: Final[dict[TranscriptKind, str]] = {
    "transcript": "application/json",
    "srt": "application/x-subrip",
    "vtt": "text/vtt; charset=utf-8",
    "text": "text/plain; charset=utf-8",
    "speakers": "text/plain; charset=utf-8",
}
_EXTENSIONS: Final[dict[TranscriptKind, str]] = {
    "transcript": "json",
    "srt": "srt",
    "vtt": "vtt",
    "text": "txt",
    "speakers": "rttm",
}


def store_files(
    transcript: Transcript, speakers: Speakers | None, job: WriteTranscript, store: ArtifactStore
) -> tuple[TranscriptFile, ...]:
    """Write the transcript in every format; tags and the denoised recording follow as they are."""
    cues = cues_of(transcript)
    named = job.name_speakers and speakers is not None
    contents: dict[TranscriptKind, str] = {
        "transcript": render_json(transcript),
        "srt": render_srt(cues_of(transcript, named=True) if named else cues),
        "vtt": render_vtt(cues),
        "text": render_text(transcript, named=named),
    }
    if speakers is not None:
        contents["speakers"] = render_rttm(speakers, job.output_stem)
    own = (_store(kind, content, job, store) for kind, content in contents.items())
    return (*own, *(file for file in (job.tags, job.denoised) if file is not None))


def _store(
    kind: TranscriptKind, content: str, job: WriteTranscript, store: ArtifactStore
) -> TranscriptFile:
    media_type = _MEDIA_TYPES[kind]
    work_key = f"{job.work_prefix}/transcript.{_EXTENSIONS[kind]}"
    place = Location(job.work_bucket, work_key)
    return TranscriptFile(
        kind=kind,
        media_type=media_type,
        artifact=store.write(place, content.encode(), media_type=media_type),
        work_key=work_key,
        output_key=output_key(job.output_stem, kind),
    )

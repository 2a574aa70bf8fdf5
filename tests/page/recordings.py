"""A recording of two speakers, and a service at the browser's edge that answers as the API does."""

from __future__ import annotations

import io
import json
import wave
from collections.abc import Sequence
from typing import Any, Final

from containers.transcript_writer.cues import cues_of
from containers.transcript_writer.document import render_json
from containers.transcript_writer.paragraphs import render_text
from containers.transcript_writer.stitching import SpokenSegment, SpokenWord, Transcript
from containers.transcript_writer.subtitles import render_srt, render_vtt
from tests.page.user import User

LENGTH_S: Final = 30
WORD_MS: Final = 400
SAID: Final = (
    ("SPEAKER_00", 1_000, "Ask not what your country can do for you."),
    (
        "SPEAKER_01", 8_000,
        "Ask what you can do for <b>it</b> & more, said the man from the country house.",
    ),
    ("SPEAKER_00", 20_000, "Thank you."),
)  # fmt: skip


def silence(seconds: int = LENGTH_S) -> bytes:
    """Return a WAV file that every browser plays."""
    file = io.BytesIO()
    with wave.open(file, "wb") as sound:
        sound.setnchannels(1)
        sound.setsampwidth(1)
        sound.setframerate(8_000)
        sound.writeframes(b"\x80" * 8_000 * seconds)
    return file.getvalue()


def spoken(said: Any = SAID, *, told_apart: bool = True) -> Transcript:
    segments: list[SpokenSegment] = []
    for speaker, start, text in said:
        own = speaker if told_apart else None
        words = tuple(
            SpokenWord(f" {word}" if n or segments else word, start + n * WORD_MS,
                       start + (n + 1) * WORD_MS - 50, 0.9, aligned=True, speaker=own)
            for n, word in enumerate(text.split(" "))
        )  # fmt: skip
        segments.append(SpokenSegment("en", words, own))
    return Transcript(LENGTH_S * 1000, tuple(segments))


TAGS: Final = {
    "predictions": [
        {"label": "Speech", "score": 0.98}, {"label": "Laughter", "score": 0.41},
        {"label": "Applause", "score": 0.2},
    ],
    "spans": [
        {"label": "Speech", "start": 1, "end": 18, "max_score": 0.98, "mean_score": 0.9},
        {"label": "Laughter", "start": 12, "end": 15, "max_score": 0.41, "mean_score": 0.3},
        {"label": "Laughter", "start": 24, "end": 27, "max_score": 0.3, "mean_score": 0.3},
    ],
    "timeline": [
        {"start": 0, "end": 15, "speech": 0.9, "music": 0.1},
        {"start": 15, "end": 30, "speech": 0.5, "music": 0.3},
    ],
}  # fmt: skip
Files = dict[str, tuple[str, str, str]]


def files_of(transcript: Transcript, tags: dict[str, Any] = TAGS) -> Files:
    """Return what the service publishes: by name, the kind, the media type and the content."""
    cues = cues_of(transcript)
    files = {
        "talk_denoised.flac": ("denoised", "audio/flac", "fLaC"),
        "talk_transcript.json": ("transcript", "application/json", render_json(transcript)),
        "talk_transcript.srt": ("srt", "application/x-subrip", render_srt(cues)),
        "talk_transcript.txt": ("text", "text/plain; charset=utf-8", render_text(transcript)),
        "talk_transcript.vtt": ("vtt", "text/vtt; charset=utf-8", render_vtt(cues)),
    }
    if any(segment.speaker for segment in transcript.segments):
        rttm = "SPEAKER talk 1 1.000 3.600 <NA> <NA> SPEAKER_00 <NA> <NA>\n"
        files["talk_speakers.rttm"] = ("speakers", "text/plain; charset=utf-8", rttm)
        files["talk_tags.json"] = ("tags", "application/json", json.dumps(tags))
    return files


RECORD: Final = {
    "options": {"model": "whisper-base"}, "model": "whisper-base",
    "inspected_at": "2026-01-01T00:00:00Z", "published_at": "2026-01-01T00:00:20Z",
    "recording": {"duration_s": 123.4}, "languages": ["en", "ko"], "words": 16, "remarks": [],
    "tasks": {"Inspect": {"metrics": {"task_ms": 5}}, "Denoise": {"metrics": None}},
}  # fmt: skip
RUNNING: Final = {
    "state": "running",
    "tasks": [
        {"task": "Inspect", "ms": 5},
        {"task": "ReadAudio", "ms": 900},
        {"task": "TranscribeWindows", "done": 1, "parts": 3},
    ],
}
LANGUAGES: Final = {
    "anyOf": [{"enum": ["en", "ko", "yue"], "type": "string"}, {"type": "null"}],
    "default": None,
}
# `window.job` is what the service says of the one job; `window.names` are the speakers' names.
# `window.refuse` is the status with which it refuses the next names; `window.sounds` are the next
# addresses of the source.
_SERVICE: Final = """
const [files, record, language] = arguments
const real = window.fetch
window.asked = []
window.names = {}
let version = 1
const answer = (body, status = 200, headers = {}) => new Promise((resolve) =>
  setTimeout(() => resolve(Response.json(body, { status, headers })), 50))
const problem = (status, name) => answer({ type: `errors#${name}`, title: name, status }, status)
const speakers = ({ method, body, headers }) => {
  if (method === 'PUT') {
    const { refuse } = window
    window.refuse = undefined
    if (refuse === 412) {
      window.names = { ...window.names, SPEAKER_01: 'Theirs' }
      version += 1
    } else if (refuse) return problem(refuse, 'internalerror')
    if (headers['if-match'] !== `"${version}"`) return problem(412, 'nameschanged')
    window.names = Object.fromEntries(Object.entries(JSON.parse(body)).filter(([, name]) => name))
    version += 1
  }
  return answer(window.names, 200, { etag: `"${version}"` })
}
window.fetch = async (path, options = {}) => {
  if (path === 'api/options') {
    return answer({ products: [{ product: 'transcript', options: { properties: { language } } }] })
  }
  if (options.method === 'POST') window.asked.push([path, JSON.parse(options.body)])
  if (path === 'api/uploads') {
    const form = { id: 'upload', key: 'me/upload/talk', url: 'form', fields: {} }
    return answer({ ...form, product: window.product ?? 'transcript' }, 201)
  }
  const [, name] = /^stub\\/(.*)$/.exec(path) ?? []
  if (name === 'record') return answer(record)
  if (name) return new Response(files[name][2], { headers: { 'content-type': files[name][1] } })
  if (/^api.jobs.\\w+.speakers$/.test(path)) return speakers(options)
  if (/^api.jobs.\\w+.source$/.test(path)) {
    const sound = window.sounds?.shift()
    return sound ? answer(sound) : problem(404, 'nosource')
  }
  if (String(path).startsWith('api/jobs')) {
    return answer({ id: 'upload', product: 'transcript', key: 'me/upload/talk', ...window.job })
  }
  return real(path, options)
}
XMLHttpRequest.prototype.send = function () {
  Object.defineProperty(this, 'status', { value: 201 })
  setTimeout(() => this.onload())
}
"""


def serve(
    user: User,
    *,
    record: dict[str, Any] | None = None,
    transcript: Transcript | None = None,
    tags: dict[str, Any] = TAGS,
) -> None:
    """Let the page talk to a service whose job runs until it is told otherwise."""
    files = files_of(transcript or spoken(), tags)
    user.run(_SERVICE, files, record or RECORD, LANGUAGES)
    say(user, RUNNING)


def say(user: User, job: dict[str, Any]) -> None:
    user.run("window.job = arguments[0]", job)


def done(transcript: Transcript | None = None) -> dict[str, Any]:
    results = [
        {"name": name, "url": f"stub/{name}", "expires_at": "2099-01-01T00:00:00Z",
         "kind": kind, "media_type": media_type, "bytes": len(content)}
        for name, (kind, media_type, content) in files_of(transcript or spoken()).items()
    ]  # fmt: skip
    record = {"name": "record", "url": "stub/record", "expires_at": "2099-01-01T00:00:00Z"}
    return {"state": "done", "results": results, "record": record}


def transcribed(
    user: User, transcript: Transcript | None = None, *, tags: dict[str, Any] = TAGS
) -> None:
    """Add a recording, and wait until its text can be read."""
    serve(user, transcript=transcript, tags=tags)
    say(user, done(transcript))
    user.drop(("talk.wav", "", silence()))
    user.wait_for("talk.wav", "English, Korean · 2:03")
    user.find(".turn p")
    user.expect(lambda: user.button("Play").is_enabled(), wanted=True)
    user.find(".player .times", text="/ 0:30")


def reload(user: User, *, sounds: Sequence[str] = ()) -> None:
    """Open the page again, before the same service, with addresses that end at these times."""
    arguments = json.dumps([files_of(spoken()), RECORD, LANGUAGES])
    source = (
        f"(function () {{{_SERVICE}}}).apply(null, {arguments});"
        f"window.names = {json.dumps(user.run('return window.names'))};"
        f"window.job = {json.dumps(done())};"
        f"const sound = new Blob([Uint8Array.from({list(silence()) if sounds else []})]);"
        f"window.sounds = {json.dumps(sounds)}.map((expires_at) =>"
        " ({ url: URL.createObjectURL(sound), expires_at }))"
    )
    added = user.command("Page.addScriptToEvaluateOnNewDocument", source=source)
    try:
        user.open()
    finally:
        user.command("Page.removeScriptToEvaluateOnNewDocument", identifier=added["identifier"])

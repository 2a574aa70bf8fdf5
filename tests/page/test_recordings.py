"""From a recording to its transcript, with a service that answers as the API does."""

from __future__ import annotations

import io
import zipfile
from typing import Any, Final

import pytest

from tests.page.user import User

TEXT: Final = "Ask not what your country can do for you.\n\nAsk what you can do for it.\n"
FILES: Final = {
    "talk_denoised.flac": ("denoised", "audio/flac", "fLaC"),
    "talk_transcript.json": ("transcript", "application/json", '{"segments":[]}'),
    "talk_transcript.srt": ("srt", "application/x-subrip", "1\n"),
    "talk_transcript.txt": ("text", "text/plain; charset=utf-8", TEXT),
    "talk_transcript.vtt": ("vtt", "text/vtt; charset=utf-8", "WEBVTT\n"),
}
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
# The service, at the browser's edge: `window.job` is what it says of the one job.
_SERVICE: Final = """
const [files, record, language] = arguments
const real = window.fetch
window.asked = []
const answer = (body, status = 200) => new Promise((resolve) =>
  setTimeout(() => resolve(Response.json(body, { status })), 50))
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


def serve(user: User, *, record: dict[str, Any] | None = None) -> None:
    """Let the page talk to a service whose job runs until it is told otherwise."""
    user.run(_SERVICE, FILES, record or RECORD, LANGUAGES)
    say(user, RUNNING)


def say(user: User, job: dict[str, Any]) -> None:
    user.run("window.job = arguments[0]", job)


def result(name: str) -> dict[str, Any]:
    kind, media_type, content = FILES[name]
    return {"name": name, "url": f"stub/{name}", "expires_at": "2099-01-01T00:00:00Z",
            "kind": kind, "media_type": media_type, "bytes": len(content)}  # fmt: skip


def done() -> dict[str, Any]:
    record = {"name": "record", "url": "stub/record", "expires_at": "2099-01-01T00:00:00Z"}
    return {"state": "done", "results": [result(name) for name in FILES], "record": record}


def transcribed(user: User) -> None:
    """Add a recording, and wait until its text can be read."""
    serve(user)
    say(user, done())
    user.drop(("talk.wav", "", b"RIFF"))
    user.wait_for("talk.wav", "English, Korean · 2:03")
    user.find(".said p")


def test_a_recording_is_followed_and_read(user: User) -> None:
    serve(user)
    user.drop(("talk.wav", "", b"RIFF"))
    user.wait_for("talk.wav", "Writing down what is said · 1/3")
    user.find(".row .i-sound")
    user.find(".tasks .now", text="Write down what is said")
    steps = [each.text.split("\n")[0] for each in user.all(".tasks li")]
    say(user, done())
    user.wait_for("talk.wav", "English, Korean · 2:03")

    user.expect(lambda: [each.text for each in user.all(".said p")], TEXT.strip().split("\n\n"))
    assert user.find(".said article").get_attribute("lang") == "en"
    user.find(".stage-head p", text="2:03 · 4 bytes · WAV")
    assert "Remove the noise" not in steps
    assert not user.all("[role=tab]")


def test_each_file_is_downloaded_and_all_in_one(user: User) -> None:
    transcribed(user)
    user.find(".files button", text="Download SRT").click()
    user.find(".files button", text="Download sound without noise").click()
    user.button("Download ZIP").click()
    archive = zipfile.ZipFile(io.BytesIO(user.downloaded("talk.zip")))

    assert user.downloaded("talk_transcript.srt") == b"1\n"
    assert user.downloaded("talk_denoised.flac") == b"fLaC"
    assert {name: archive.read(name).decode() for name in archive.namelist()} == {
        name: content for name, (_, _, content) in FILES.items()
    }


def test_it_is_written_down_again_as_asked(user: User) -> None:
    transcribed(user)
    user.pick("Spoken in", "Cantonese")
    user.button("Translate into English").click()
    user.button("Remove noise").click()
    say(user, RUNNING)
    user.button("Make it again").click()
    user.wait_for("talk.wav", "Writing down")
    user.find(".tasks li", text="Remove the noise")

    options = {"language": "yue", "translate": True, "denoise": True}
    asked = {"key": "me/upload/talk", "product": "transcript", "options": options, "force": True}
    assert user.run("return window.asked.at(-1)") == ["api/jobs", asked]


def test_a_recording_without_speech_says_so(user: User) -> None:
    serve(user, record={**RECORD, "languages": [], "words": 0})
    say(user, done())
    user.drop(("hum.mp3", "audio/mpeg", b"ID3"))

    user.wait_for("hum.mp3", "No speech found · 2:03")


def test_a_recording_that_is_refused_has_its_reason(user: User) -> None:
    serve(user)
    say(user, {"state": "quarantined", "error": {
        "name": "MediaTooLong", "message": "more than 12 hours of sound, which is the limit",
        "hint": "Cut the recording into parts and upload each."}})  # fmt: skip
    user.drop(("week.mp3", "audio/mpeg", b"ID3"))
    user.wait_for("week.mp3", "This recording is too long")

    user.find(".sorry", text="More than 12 hours of sound")
    user.find(".sorry li", text="Cut the recording into parts")


def test_a_recording_with_a_photos_name_is_one_file_and_a_transcript(user: User) -> None:
    serve(user)
    user.run("window.product = 'cutout'")
    user.drop(("talk.jpg", "image/jpeg", b"RIFF"))
    user.wait_for("talk.jpg", "Writing down what is said")
    say(user, done())
    user.wait_for("talk.jpg", "English, Korean")

    user.find(".said p")
    assert len(user.states()) == 1


def test_a_transcript_is_there_after_a_reload(user: User) -> None:
    transcribed(user)
    user.open()

    user.wait_for("talk.wav", "English, Korean · 2:03")
    user.find(".files button", text="Download SRT")


@pytest.mark.parametrize(
    ("name", "kind"), [("a.opus", ""), ("b.MKV", ""), ("voice", "audio/amr"), ("c.mov", "")]
)
def test_what_is_a_recording_by_name_or_type_is_sent(user: User, name: str, kind: str) -> None:
    serve(user)
    user.drop((name, kind, b"...."))
    user.wait_for(name, "Writing down")

    (path, asked), *_ = user.run("return window.asked")
    assert (path, asked["name"], asked["options"]) == ("api/uploads", name, {})

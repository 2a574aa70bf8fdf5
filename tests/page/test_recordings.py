"""From a recording to its transcript, with a service that answers as the API does."""

from __future__ import annotations

import io
import zipfile

import pytest

from tests.page.recordings import (
    RECORD,
    RUNNING,
    SAID,
    done,
    files_of,
    say,
    serve,
    spoken,
    transcribed,
)
from tests.page.user import User

FILES = files_of(spoken())


def test_a_recording_is_followed_and_read(user: User) -> None:
    serve(user)
    user.drop(("talk.wav", "", b"RIFF"))
    user.wait_for("talk.wav", "Writing down what is said · 1/3")
    user.find(".row .i-sound")
    user.find(".tasks .now", text="Write down what is said")
    steps = [each.text.split("\n")[0] for each in user.all(".tasks li")]
    say(user, done())
    user.wait_for("talk.wav", "English, Korean · 2:03")

    user.expect(lambda: [each.text for each in user.all(".turn p")], [text for *_, text in SAID])
    assert user.find(".turn p").get_attribute("lang") == "en"
    user.find(".stage-head p", text="2:03 · 4 bytes · WAV")
    assert "Remove the noise" not in steps
    assert not user.all("[role=tab]")


def test_each_file_is_downloaded_and_all_in_one(user: User) -> None:
    transcribed(user)
    user.find(".files button", text="Download SRT").click()
    user.find(".files button", text="Download sound without noise").click()
    user.button("Download ZIP").click()
    archive = zipfile.ZipFile(io.BytesIO(user.downloaded("talk.zip")))

    assert user.downloaded("talk_transcript.srt").decode() == FILES["talk_transcript.srt"][2]
    assert user.downloaded("talk_denoised.flac") == b"fLaC"
    assert {name: archive.read(name).decode() for name in archive.namelist()} == {
        name: content for name, (_, _, content) in FILES.items()
    }


def test_it_is_written_down_again_as_asked(user: User) -> None:
    transcribed(user)
    user.pick("Spoken in", "Cantonese")
    user.button("Translate into English").click()
    user.button("Remove noise").click()
    user.button("Tell speakers apart").click()
    user.button("Name the sounds").click()
    say(user, RUNNING)
    user.button("Make it again").click()
    user.wait_for("talk.wav", "Writing down")
    user.find(".tasks li", text="Remove the noise")

    options = {"language": "yue", "translate": True, "denoise": True, "diarize": True, "tags": True}
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

    user.find(".turn p")
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

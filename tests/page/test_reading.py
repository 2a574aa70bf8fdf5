"""What a user does with a transcript: listen, read, find, name speakers, correct words."""

from __future__ import annotations

import io
import json
import zipfile
from typing import Any, Final

import pytest
from selenium.webdriver import ActionChains, Keys
from selenium.webdriver.common.actions.wheel_input import ScrollOrigin
from selenium.webdriver.remote.webelement import WebElement

from tests.page.recordings import (
    SAID,
    Files,
    files_of,
    reload,
    spoken,
    transcribed,
)
from tests.page.user import User

FILES: Final[Files] = files_of(spoken())
MOST_MS: Final = 100  # of a machine that does other things, too
KINDS: Final = {"SRT": ".srt", "VTT": ".vtt", "TXT": ".txt", "JSON": ".json"}


def word(user: User, text: str, *, nth: int = 0) -> WebElement:
    return user.until(
        lambda: (
            [each for each in user.all(".turn span") if each.text == text][nth : nth + 1] or None
        ),
        text,
    )[0]


def current(user: User) -> str | None:
    """Return the word that is marked as spoken."""
    return str(user.run(
        "return document.querySelector('.turn [aria-current]')?.textContent ?? null"
    ))  # fmt: skip


def seek(user: User, seconds: float) -> None:
    user.run(
        "const slider = document.querySelector('.player [type=range]');"
        "slider.value = arguments[0];"
        "slider.dispatchEvent(new Event('input', { bubbles: true }))",
        seconds,
    )


def time(user: User) -> float:
    return float(user.run("return document.querySelector('.screen video').currentTime"))


def change(user: User, element: WebElement, text: str, *, end: str = Keys.ENTER) -> None:
    """Write another word in place of one."""
    ActionChains(user.driver).double_click(element).perform()
    field = user.find(".turn input")
    field.send_keys(Keys.CONTROL + "a", Keys.NULL)
    field.send_keys(text or Keys.DELETE, end)


def download(user: User, kind: str) -> str:
    name = f"talk_transcript{KINDS[kind]}"
    path = user.downloads / name
    path.unlink(missing_ok=True)
    user.find(".files button", text=f"Download {kind}").click()
    return user.downloaded(name).decode()


def rename(user: User, place: int, name: str) -> None:
    field = user.button(f"Name of speaker {place}")
    field.send_keys(Keys.CONTROL + "a", Keys.NULL)
    field.send_keys(name, Keys.ENTER)


def undo(user: User) -> None:
    ActionChains(user.driver).key_down(Keys.CONTROL).send_keys("z").key_up(Keys.CONTROL).perform()


def names(user: User) -> list[str]:
    return [each.text for each in user.all(".turn header b")]


# Listen


def test_the_word_that_is_spoken_is_marked(user: User) -> None:
    transcribed(user)
    marked = {}
    for moment in (0.5, 1.1, 2.2, 4.9, 6.0, 8.0, 20.5):
        seek(user, moment)
        user.until(lambda: time(user) or None, "a time")
        user.run("return new Promise(requestAnimationFrame)")
        marked[moment] = current(user)

    wanted = {0.5: "None", 1.1: "Ask", 2.2: "your", 4.9: "None", 6.0: "None", 8.0: "Ask"}
    assert marked == wanted | {20.5: "you."}


def test_a_click_on_a_word_plays_from_there(user: User) -> None:
    transcribed(user)
    word(user, "country", nth=1).click()
    user.button("Pause")
    user.until(lambda: time(user) > 8.0 + 14 * 0.4 or None, "the sound goes on")
    user.expect(lambda: current(user), "house.")
    user.button("Pause").click()
    user.button("Play")

    assert 8 + 13 * 0.4 <= time(user) < 16


def test_keys_play_skip_and_jump_but_not_in_fields(user: User) -> None:
    transcribed(user)
    user.run("document.activeElement.blur()")
    user.press(Keys.ARROW_RIGHT, Keys.ARROW_RIGHT, Keys.ARROW_LEFT)
    user.expect(lambda: time(user), 5.0)
    user.press(Keys.SPACE)
    user.button("Pause")
    user.press(Keys.SPACE)
    user.button("Play")
    user.press("/")
    user.expect(lambda: user.focused().accessible_name, "Find a word")
    before = time(user)
    user.press("a", Keys.SPACE, "b", Keys.ARROW_LEFT)

    user.expect(lambda: user.focused().get_attribute("value"), "a b")
    user.button("Play")
    assert time(user) == before


def test_words_are_one_stop_of_tab_and_arrows_move_between_them(user: User) -> None:
    transcribed(user)
    user.find(".said").send_keys("")
    user.press(Keys.TAB)
    user.expect(lambda: user.focused().text, "Ask")
    role = user.focused().aria_role
    user.press(Keys.ARROW_RIGHT, Keys.ARROW_RIGHT, Keys.ARROW_LEFT)
    user.expect(lambda: user.focused().text, "not")
    user.press(Keys.END)
    user.expect(lambda: user.focused().text, "you.")
    user.press(Keys.ENTER)
    user.button("Pause")

    assert role == "button"
    assert len(user.all(".turn [tabindex='0']")) == 1
    assert time(user) >= 20.4


def test_speed_is_chosen(user: User) -> None:
    transcribed(user)
    user.pick("Speed", "1.5×")

    user.expect(lambda: user.run("return document.querySelector('video').playbackRate"), 1.5)


def test_the_recording_of_an_earlier_visit_has_the_services_address(user: User) -> None:
    transcribed(user)
    reload(user)
    user.find(".player .note", text="The recording is gone")
    word(user, "country", nth=1).click()

    user.expect(lambda: current(user), "country")
    assert not user.button("Play").is_enabled()


def test_an_address_that_ran_out_is_replaced_and_the_time_stays(user: User) -> None:
    transcribed(user)
    reload(user, sounds=["2020-01-01T00:00:00Z", "2099-01-01T00:00:00Z"])
    user.find(".player .times", text="/ 0:30")
    seek(user, 12)
    user.expect(lambda: time(user), 12.0)
    first = user.run("return document.querySelector('video').src")
    user.run("document.querySelector('video').dispatchEvent(new Event('error'))")
    user.expect(
        lambda: user.run("return document.querySelector('video').src") != first, wanted=True
    )

    user.expect(lambda: time(user), 12.0)
    user.expect(lambda: user.find(".player .times").text, "0:12 / 0:30")
    assert user.button("Play").is_enabled()


def long(words: int, word: str = "word") -> Any:
    said = f"{word} " * 9 + "end."
    return spoken([("SPEAKER_00", 400 * n, said) for n in range(0, words, 10)])


def test_the_spoken_word_stays_in_sight_until_the_reader_scrolls(user: User) -> None:
    transcribed(user, long(2_000, "uncharacteristically"))
    user.resize(1280, 520)
    seek(user, 29.5)
    user.expect(lambda: user.run(_SEEN), wanted=True)
    up = ScrollOrigin.from_element(user.find(".said"))
    ActionChains(user.driver).scroll_from_origin(up, 0, -100_000).perform()
    user.button("Follow the sound")
    user.expect(lambda: user.run(_SEEN), wanted=False)
    seek(user, 25)
    user.expect(lambda: current(user) != "None", wanted=True)
    stays = user.run(_SEEN)
    user.button("Follow the sound").click()

    user.expect(lambda: user.run(_SEEN), wanted=True)
    assert not stays


_SEEN: Final = """
const word = document.querySelector('.turn [aria-current]')?.getBoundingClientRect()
const frame = document.querySelector('.said').getBoundingClientRect()
return Boolean(word && word.top >= frame.top && word.bottom <= frame.bottom)
"""


def test_ten_thousand_words_are_marked_without_new_layouts(user: User) -> None:
    transcribed(user, long(10_000))
    user.command("Performance.enable")
    seek(user, 1)
    user.expect(lambda: current(user), "word")

    assert user.run_later(_MARKED) <= MOST_MS


# Milliseconds for the change of a word and the layout after it, at the median.
_MARKED: Final = """
const slider = document.querySelector('.player [type=range]')
const spent = []
for (let n = 0; n < 40; n += 1) {
  await new Promise(requestAnimationFrame)
  const began = performance.now()
  slider.value = `${1 + n * 0.41}`
  slider.dispatchEvent(new Event('input', { bubbles: true }))
  document.body.offsetHeight
  spent.push(performance.now() - began)
}
return spent.sort((a, b) => a - b)[20]
"""


# Speakers


def test_a_name_is_kept_by_the_service_and_is_in_view_and_downloads(user: User) -> None:
    transcribed(user)
    user.expect(lambda: names(user), ["Speaker 1", "Speaker 2", "Speaker 1"])
    rename(user, 2, "Ann <i> & Co")
    user.expect(lambda: user.run("return window.names"), {"SPEAKER_01": "Ann <i> & Co"})
    texts = {kind: download(user, kind) for kind in KINDS}
    reload(user)
    user.expect(lambda: names(user), ["Speaker 1", "Ann <i> & Co", "Speaker 1"])

    assert "<v Ann &lt;i&gt; &amp; Co>Ask what you can do for" in texts["VTT"]
    assert "<v SPEAKER_00>Thank you." in texts["VTT"]
    assert "\nAnn <i> & Co: Ask what you can do for\n" in texts["SRT"]
    assert texts["TXT"].split("\n\n")[1] == f"Ann <i> & Co: {SAID[1][2]}"
    document = json.loads(texts["JSON"])
    assert document["segments"][1]["speaker"] == "Ann <i> & Co"
    assert {each["speaker"] for each in document["word_segments"]} == {"SPEAKER_00", "Ann <i> & Co"}
    lines = [each for each in texts["SRT"].splitlines() if each and "-->" not in each]
    assert max(map(len, lines)) <= 42


def test_a_name_that_cannot_be_saved_is_taken_back(user: User) -> None:
    transcribed(user)
    rename(user, 1, "Kim")
    user.expect(lambda: user.run("return window.names"), {"SPEAKER_00": "Kim"})
    user.run("window.refuse = 500")
    rename(user, 1, "Lee")
    user.find(".inspector [role=alert]", text="The name was not saved")

    user.expect(lambda: names(user), ["Kim", "Speaker 2", "Kim"])
    assert user.button("Name of speaker 1").get_attribute("value") == "Kim"


def test_a_name_does_not_undo_those_that_somebody_else_gave_meanwhile(user: User) -> None:
    transcribed(user)
    user.run("window.refuse = 412")
    rename(user, 1, "Kim")

    user.expect(lambda: names(user), ["Kim", "Theirs", "Kim"])
    assert user.run("return window.names") == {"SPEAKER_00": "Kim", "SPEAKER_01": "Theirs"}


def test_a_recording_whose_speakers_are_not_told_apart_has_none(user: User) -> None:
    transcribed(user, spoken(told_apart=False))

    assert names(user) == []
    assert not user.all(".who, .lanes")


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_speakers_colours_can_be_read(user: User, theme: str) -> None:
    transcribed(user)
    user.look(theme=theme, width=1280)
    found = user.run(_COLOURS)

    assert min(map(min, found)) >= 4.5


_COLOURS: Final = """
const light = (colour) => {
  const [r, g, b] = colour.match(/[\\d.]+/g).slice(0, 3).map((each) => each / 255)
    .map((c) => (c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4))
  return 0.2126 * r + 0.7152 * g + 0.0722 * b
}
const probe = document.body.appendChild(document.createElement('i'))
const shown = (name) => {
  probe.style.setProperty('color', `var(--${name})`)
  return light(getComputedStyle(probe).color)
}
const grounds = ['paper', 'surface', 'well', 'raised'].map(shown)
const found = [1, 2, 3, 4, 5, 6, 7, 8].map((n) => {
  const own = shown(`speaker-${n}`)
  return grounds.map((each) => (Math.max(own, each) + 0.05) / (Math.min(own, each) + 0.05))
})
probe.remove()
return found
"""


# Sounds


def test_sounds_are_bars_that_jump_and_a_list_with_scores(user: User) -> None:
    transcribed(user)
    user.find(".heard li", text="Laughter")
    labels = [each.text for each in user.all(".lane span")]
    bar = next(each for each in user.all(".lane") if "Laughter" in each.text)
    track = bar.find_element("css selector", "svg")
    width = track.size["width"]
    ActionChains(user.driver).move_to_element_with_offset(
        track, int(width * -0.05), 0
    ).click().perform()
    user.expect(lambda: time(user), 12.0)
    user.find(".heard button", text="Laughter").click()
    user.expect(lambda: time(user), 24.0)
    user.find(".heard button", text="Laughter").click()
    user.expect(lambda: time(user), 12.0)

    assert labels == ["Speaker 1", "Speaker 2", "Speech", "Music", "Laughter"]
    assert [each.text.replace("\n", " ") for each in user.all(".heard li")] == [
        "Speech 98%", "Laughter 41%", "Applause 20%",
    ]  # fmt: skip
    assert user.find(".lanes").get_attribute("aria-hidden") == "true"


# Find


def test_words_are_found_counted_and_shown_one_after_another(user: User) -> None:
    transcribed(user)
    field = user.button("Find a word")
    field.send_keys("WHAT  you can")
    user.find(".find .of", text="1 of 1")
    user.expect(lambda: [each.text for each in user.all(".hit.now")], ["what", "you", "can"])
    field.send_keys(Keys.ESCAPE, "country")
    user.find(".find .of", text="1 of 2")
    field.send_keys(Keys.ENTER)
    user.find(".find .of", text="2 of 2")
    user.button("Next").click()
    user.find(".find .of", text="1 of 2")
    user.button("Previous").click()
    user.find(".find .of", text="2 of 2")
    hits = len(user.all(".hit"))
    field.send_keys("side")
    user.find(".find .of", text="Not found")
    field.send_keys(Keys.ESCAPE)

    user.expect(lambda: len(user.all(".hit")), 0)
    assert hits == 2


# Correct


def test_a_corrected_word_is_marked_and_in_every_download(user: User) -> None:
    transcribed(user)
    change(user, word(user, "country"), "land & <sea>")
    user.find(".turn ins", text="land & <sea>")
    change(user, word(user, "Thank"), "")
    user.find(".turn del", text="Thank")
    user.button("Undo (2)")
    found = {kind: download(user, kind) for kind in KINDS}
    first, second, _ = (text for *_, text in SAID)
    first = first.replace("country", "land & <sea>")

    assert found["TXT"] == f"{first}\n\n{second}\n\nyou.\n"
    document, before = (
        json.loads(each) for each in (found["JSON"], FILES["talk_transcript.json"][2])
    )
    assert [each["text"] for each in document["segments"]] == [first, second, "you."]
    assert document["word_segments"][4] == before["word_segments"][4] | {"word": "land & <sea>"}
    assert document["word_segments"] == [w for s in document["segments"] for w in s["words"]]
    assert len(document["word_segments"]) == len(before["word_segments"]) - 1
    assert document["segments"][1] == before["segments"][1]
    assert found["VTT"] == (
        FILES["talk_transcript.vtt"][2]
        .replace("Ask not what your country can do for you.", _WRAPPED_VTT)
        .replace("Thank you.", "you.")
    )
    assert found["SRT"] == (
        FILES["talk_transcript.srt"][2]
        .replace("Ask not what your country can do for you.", _WRAPPED_SRT)
        .replace("Thank you.", "you.")
    )


_WRAPPED_SRT: Final = "Ask not what your land\n& <sea> can do for you."
_WRAPPED_VTT: Final = _WRAPPED_SRT.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def test_a_correction_that_needs_more_room_becomes_more_subtitles_in_the_same_time(
    user: User,
) -> None:
    transcribed(user)
    change(user, word(user, "country"), "very " * 20 + "x" * 60)
    found = download(user, "SRT")
    blocks = [block.split("\n") for block in found.strip().split("\n\n")]
    times = [block[1].split(" --> ") for block in blocks]
    before = FILES["talk_transcript.srt"][2].split("\n")[1].split(" --> ")

    assert max(len(line) for block in blocks for line in block[2:]) <= 42
    assert max(len(block) for block in blocks) <= 4
    assert [int(block[0]) for block in blocks] == list(range(1, len(blocks) + 1))
    flat = [moment for pair in times for moment in pair]
    assert flat == sorted(flat)
    own = next(n for n, block in enumerate(blocks) if "Ask what" in block[2])
    assert (times[0][0], times[own - 1][1]) == (before[0], before[1])
    said = " ".join(" ".join(block[2:]) for block in blocks[:own]).replace(" ", "")
    assert said == SAID[0][2].replace("country", "very " * 20 + "x" * 60).replace(" ", "")


def test_a_version_without_corrections_is_the_services_own_bytes(user: User) -> None:
    transcribed(user)
    change(user, word(user, "country"), "land")
    user.find(".turn ins")
    user.button("Undo (1)").click()
    user.gone(".turn ins")

    for kind, end in KINDS.items():
        assert download(user, kind) == FILES[f"talk_transcript{end}"][2]


def test_corrections_and_their_undo_outlive_a_reload_by_keys_alone(user: User) -> None:
    transcribed(user)
    user.find(".said").send_keys("")
    user.press(Keys.TAB, Keys.ARROW_RIGHT, Keys.F2)
    user.expect(lambda: user.focused().accessible_name, "The word “not” at 0:01")
    user.press("never", Keys.ESCAPE)
    user.expect(lambda: user.focused().text, "not")
    user.press(Keys.F2)
    user.find(".turn input")
    user.press("never", Keys.ENTER)
    user.expect(lambda: user.focused().text, "never")
    user.press(Keys.F2)
    user.find(".turn input")
    user.press("hardly")  # and it is left without Enter
    reload(user)
    user.find(".turn ins", text="hardly")
    user.run("document.activeElement.blur()")
    undo(user)
    user.find(".turn ins", text="never")
    undo(user)

    user.gone(".turn ins")
    assert user.run("return Object.keys(localStorage).filter((n) => n.includes('edits'))") == []


def test_corrections_are_only_those_of_the_same_transcript(user: User) -> None:
    transcribed(user)
    change(user, word(user, "country"), "land")
    user.find(".turn ins")
    user.run(
        "const name = Object.keys(localStorage).find((each) => each.includes('edits'));"
        "localStorage.setItem(name.slice(0, -8) + '00000000', localStorage[name]);"
        "delete localStorage[name]"
    )
    reload(user)
    word(user, "country")

    assert not user.all(".turn ins")


def test_a_removed_file_takes_its_corrections_with_it(user: User) -> None:
    transcribed(user)
    change(user, word(user, "country"), "land")
    user.find(".turn ins")
    user.button("More").click()
    user.find(".menu button", text="Remove").click()
    user.gone(".row")

    assert user.run("return Object.keys(localStorage).filter((n) => n.includes('edits'))") == []


def test_the_zip_has_corrections_and_names(user: User) -> None:
    transcribed(user)
    change(user, word(user, "country"), "land")
    rename(user, 1, "Kim")
    user.expect(lambda: names(user), ["Kim", "Speaker 2", "Kim"])
    user.button("Download ZIP").click()
    archive = zipfile.ZipFile(io.BytesIO(user.downloaded("talk.zip")))

    assert (
        archive.read("talk_transcript.txt").decode().startswith("Kim: Ask not what your land can")
    )
    assert archive.read("talk_tags.json").decode() == FILES["talk_tags.json"][2]


def test_markup_in_text_names_and_labels_is_only_text(user: User) -> None:
    label = "<img src=x onerror=alert(1)>"
    span = {"label": label, "start": 1, "end": 2}
    transcribed(user, tags={"predictions": [{"label": label, "score": 1}], "spans": [span]})
    user.find(".heard button", text=label)
    user.find(".lane", text=label)
    rename(user, 1, "<img src=x>")
    user.expect(lambda: names(user)[0], "<img src=x>")
    change(user, word(user, "Thank"), "<b>Thanks</b>")
    user.find(".turn ins", text="<b>Thanks</b>")

    assert (
        user.run("return document.querySelectorAll('.shown img, .turn b b, .turn p b').length") == 0
    )
    assert not user.all(".inspector img")

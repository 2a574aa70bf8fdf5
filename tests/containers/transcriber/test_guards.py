"""What Whisper invents is told from what is said."""

from __future__ import annotations

import pytest

from containers.transcriber.guards import Answer, best, loop_start


def answer(text: str, logprob: float = -0.2, no_speech: float = 0.0) -> Answer:
    return Answer((1,), text, logprob, no_speech)


def test_ordinary_speech_is_good() -> None:
    text = " No, no, no. We shall fight on the beaches, we shall fight on the landing grounds."

    assert answer(text).good


@pytest.mark.parametrize(
    ("text", "start"),
    [
        (" So thank you." + " Thank you very much." * 4, 7),
        (" bye" * 12, 1),
        (" one two three four five six seven one two three four five six seven" * 2, 7),
    ],
)
def test_a_phrase_again_and_again_is_a_loop(text: str, start: int) -> None:
    assert answer(text).loops
    assert loop_start(text) == start


def test_a_loop_without_spaces_is_found_by_its_size() -> None:
    assert answer("ご視聴ありがとうございました" * 6).loops


def test_words_the_model_does_not_believe_are_silence_only_if_it_hears_nobody() -> None:
    assert answer(" Thanks for watching!", logprob=-1.4, no_speech=0.8).silent
    assert not answer(" Thanks for watching!", logprob=-0.3, no_speech=0.8).silent
    assert not answer(" mumble", logprob=-1.4, no_speech=0.1).silent


def test_the_best_of_bad_answers_has_no_loop() -> None:
    loop, mumble, worse = answer(" a" * 30), answer(" mumble", -1.2), answer(" rumble", -1.9)

    assert best([loop, worse, mumble]) is mumble
    assert best([loop]) is loop

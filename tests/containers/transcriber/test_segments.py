"""Words become segments, and speech without words is found."""

from __future__ import annotations

from containers.transcriber.segments import coverage, invented, segment_of, sentences, uncovered
from containers.transcriber.timing import TimedWord
from tests.containers.transcriber.fakes import span


def word(
    text: str, start: float, end: float, score: float = 0.9, *, heard: bool = True
) -> TimedWord:
    return TimedWord(text, start, end, score, aligned=True, heard=heard)


def texts(words: list[TimedWord]) -> list[str]:
    return ["".join(each.text for each in one).strip() for one in sentences(words)]


def test_a_segment_ends_after_a_full_stop_of_any_script_and_at_a_long_pause() -> None:
    words = [
        word(" Yes.", 0, 1), word(" He said “no!”", 1, 2), word(" so", 2, 3), word(" what", 4.6, 5),
        word("茶。", 5, 6), word("है।", 6, 7), word(" end", 7, 8),
    ]  # fmt: skip

    assert texts(words) == ["Yes.", "He said “no!”", "so", "what茶。", "है।", "end"]


def test_a_decimal_point_ends_nothing() -> None:
    assert texts([word(" 3.5", 0, 1), word(" metres", 1, 2)]) == ["3.5 metres"]


def test_a_very_long_sentence_is_cut_at_its_longest_pause() -> None:
    words = [word(f" w{i}", i, i + (0.5 if i == 11 else 0.9)) for i in range(25)]

    first, second = sentences(words)

    assert (len(first), len(second)) == (12, 13)


def test_words_that_are_neither_believed_nor_heard_are_invented() -> None:
    assert invented([word(" a", 0, 1, 0.05), word(" b", 1, 2, 0.1)])
    assert not invented([word(" a", 0, 1, 0.05), word(" b", 1, 2, 0.6)])
    assert invented([word(" a", 0, 1, heard=False), word(" b", 1, 2, heard=False)])


def test_coverage_is_the_share_of_speech_with_segments() -> None:
    segments = [segment_of([word(" a", 1, 2), word(" b", 2.5, 4)], "en")]

    assert coverage(segments, [span(0, 4), span(6, 7)]) == 0.6
    assert uncovered(segments, [span(0, 4), span(6, 7)]) == [span(0, 1), span(6, 7)]
    assert coverage([], []) == 1.0

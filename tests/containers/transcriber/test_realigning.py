"""Words are timed again where a network can, and keep their times where it cannot."""

from __future__ import annotations

import numpy as np

from containers.transcriber.ctc import LogProbabilities, log_softmax
from containers.transcriber.mel import Samples
from containers.transcriber.realigning import Listen, realigned
from containers.transcriber.spec import CtcSpec
from pipeline.contracts.transcript import Segment, Word
from tests.containers.transcriber.fakes import sound, span

SPEC = CtcSpec(language="en", alphabet="\x01|ABC'", blank=0, space="|", step=320)  # 20 ms
HEARD = sound(span(0, 60), end=60)


def segment(*words: tuple[str, float, float], language: str = "en") -> Segment:
    timed = tuple(Word(text=t, start=a, end=b, score=0.9, aligned=True) for t, a, b in words)
    return Segment(start=words[0][1], end=words[-1][2], text="", language=language, words=timed)


def heard_at(**seconds: float) -> Listen:
    """A network that hears characters at these seconds of its piece."""

    def listen(samples: Samples) -> LogProbabilities:
        logits = np.zeros((len(samples) // 320, len(SPEC.alphabet)), np.float32)
        logits[:, SPEC.blank] = 4
        for character, at in seconds.items():
            logits[round(at * 50) : round(at * 50) + 5, SPEC.alphabet.index(character)] = 20
        return log_softmax(logits)

    return listen


def times(found: list[Segment]) -> list[tuple[float, float, bool]]:
    return [
        (round(word.start, 2), round(word.end, 2), word.aligned)
        for each in found
        for word in each.words
    ]


def test_words_move_to_where_the_network_hears_them() -> None:
    said = segment((" a", 10.0, 10.5), (" b", 10.5, 11.5))

    found = realigned([said], HEARD, SPEC, heard_at(A=0.4, B=1.2))

    assert times(found) == [
        (10.1, 10.2, True),
        (10.9, 11.0, True),
    ]
    assert (round(found[0].start, 2), round(found[0].end, 2)) == (10.1, 11.0)


def test_a_word_the_alphabet_cannot_spell_stays_between_its_neighbours() -> None:
    said = segment((" a", 10.0, 10.5), (" 42", 10.5, 11.2), (" b", 11.2, 12.0))

    (_, number, last) = times(realigned([said], HEARD, SPEC, heard_at(A=0.4, B=1.3)))

    assert number == (10.5, 11.0, False)
    assert last[0] == 11.0


def test_a_network_that_disagrees_by_more_than_a_second_is_not_followed() -> None:
    said = segment((" a", 10.0, 10.5), (" b", 10.6, 14.0))

    found = realigned([said], HEARD, SPEC, heard_at(A=0.4, B=3.0))

    assert times(found)[1] == (10.6, 14.0, True)


def test_words_of_other_languages_keep_their_times() -> None:
    said = segment((" a", 10.0, 10.5), language="de")

    assert realigned([said], HEARD, SPEC, heard_at(A=0.1)) == [said]


def test_pieces_are_at_most_15_s() -> None:
    lengths: list[float] = []

    def listen(samples: Samples) -> LogProbabilities:
        lengths.append(len(samples) / 16_000)
        return log_softmax(np.zeros((len(samples) // 320, 6), np.float32))

    said = segment(*((" ab", float(at), at + 1.0) for at in range(2, 50)))
    found = realigned([said], HEARD, SPEC, listen)

    assert max(lengths) <= 15
    assert len(found[0].words) == 48

"""Transcribe one window: hear its slices, agree on languages, write, and cut where unsure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from containers.transcriber.guards import Answer, best, loop_start
from containers.transcriber.languages import Heard, language_of, majority, spoken
from containers.transcriber.segments import coverage, invented, segment_of, sentences, uncovered
from containers.transcriber.slices import Slice, slices_of
from containers.transcriber.sound import Sound
from containers.transcriber.timing import TimedWord, timed_words
from containers.transcriber.whisper import Encoded, Model, Sampling
from pipeline.contracts.audio_windows import Span
from pipeline.contracts.transcript import Segment

ENGLISH: Final = "en"
# Greedy is right for clear speech; beams and then chance lead out of a loop.
ATTEMPTS: Final = (
    Sampling(),
    Sampling(beams=5),
    Sampling(temperature=0.4),
    Sampling(temperature=0.8),
)
_MOST_CUTS: Final = 2  # how often a slice in an uncertain language is halved
_SHORTEST_UNSURE_S: Final = 6.0  # of speech: half of it would be no clearer
_LONG_S: Final = 12.0  # of speech: with a pause of a second, it may be in two languages
_PAUSE_S: Final = 1.0
_MISSED_S: Final = 2.0  # speech in one stretch without a word
_SKIPPED_S: Final = 1.0  # the same after a prompt: the model leaves out what the prompt says


@dataclass(frozen=True)
class DecodingOptions:
    """How a window is decoded: in `language`, or in the one that is detected if that is None."""

    language: str | None = None
    translate: bool = False
    prompt: str | None = None


@dataclass(frozen=True)
class Listened:
    """A slice, what the encoder made of it, and the languages it may be in."""

    one: Slice
    encoded: Encoded
    heard: Heard


@dataclass(frozen=True)
class Written:
    """The segments of a slice, in the language that was chosen for it."""

    listened: Listened
    language: str
    segments: tuple[Segment, ...]
    remarks: tuple[str, ...] = ()

    @property
    def missed_s(self) -> float:
        """The longest stretch of speech without a word, in seconds."""
        return max(
            (gap.end - gap.start for gap in uncovered(self.segments, self.listened.one.speech)),
            default=0.0,
        )

    @property
    def covered_s(self) -> float:
        one = self.listened.one
        return coverage(self.segments, one.speech) * one.speech_s


@dataclass(frozen=True)
class Transcript:
    """What was said in a window: see `WindowTranscript`."""

    segments: tuple[Segment, ...]
    languages: dict[str, float]
    coverage: float
    remarks: tuple[str, ...]
    metrics: dict[str, float]


@dataclass
class Listener:
    """Transcribes with one model. `passes` counts runs of the encoder, `answers` texts."""

    model: Model
    sound: Sound
    options: DecodingOptions
    passes: int = 0
    answers: int = 0

    def transcribe(self, speech: Sequence[Span]) -> Transcript:
        """Return what is said in these spans. Raises UnsupportedLanguage or OutOfMemory."""
        slices = slices_of(speech, self.sound)
        listened = [each for one in slices for each in self._listen(one)]
        if not listened:
            remarks = ("No sound is in the window's speech.",) if speech else ()
            return Transcript((), {}, coverage((), speech), remarks, self._metrics(0, 0))
        most = majority(each.heard for each in listened)
        first = [self._write(each, most) for each in listened]
        written = [better for each in first for better in self._doubted(each, most)]
        segments = tuple(segment for each in written for segment in each.segments)
        said = [(each.language, each.listened.heard) for each in written if each.segments]
        return Transcript(
            segments,
            spoken(said),
            coverage(segments, speech),
            tuple(remark for each in written for remark in each.remarks),
            self._metrics(len(written), sum(len(each.words) for each in segments)),
        )

    def _listen(self, one: Slice, cuts: int = 0) -> list[Listened]:
        """Hear a slice; cut it while its language is uncertain: it may change in between."""
        listened = self._hear(one)
        if cuts < _MOST_CUTS and _may_be_mixed(listened):
            halves = one.cut(self.sound)
            if halves:
                return [each for half in halves for each in self._listen(half, cuts + 1)]
        return [listened]

    def _hear(self, one: Slice) -> Listened:
        self.passes += 1
        encoded = self.model.encode(one.samples(self.sound))
        # A model of English alone has no languages to detect.
        if self.options.language is not None:
            found = {self.options.language: 1.0}
        else:
            found = encoded.languages() or {ENGLISH: 1.0}
        return Listened(one, encoded, Heard(found, one.speech_s))

    def _doubted(self, written: Written, most: str) -> list[Written]:
        """Cut and redo a slice of which speech was missed; keep what has more of it."""
        if written.missed_s <= _MISSED_S:
            return [written]
        halves = written.listened.one.cut(self.sound) or ()
        again = [self._write(self._hear(half), most) for half in halves]
        if sum(each.covered_s for each in again) <= written.covered_s:
            again = [written]
        return [_with_remark(each) if each.missed_s > _MISSED_S else each for each in again]

    def _write(self, listened: Listened, most: str) -> Written:
        """Write down one slice; without the prompt if that made the model skip speech."""
        written = self._attempt(listened, most, self.options.prompt)
        if self.options.prompt is None or written.missed_s <= _SKIPPED_S:
            return written
        plain = self._attempt(listened, most, None)
        return plain if plain.covered_s > written.covered_s else written

    def _attempt(self, listened: Listened, most: str, own_words: str | None) -> Written:
        """Return a slice's text with times, without what the model invented."""
        vocabulary = self.model.vocabulary
        language = language_of(listened.heard, most=most)
        known = language if self.model.multilingual else None
        start = vocabulary.start(known, translate=self.options.translate)
        answer, doubt = self._answer(listened.encoded, vocabulary.prompt(start, own_words))
        one, remarks = listened.one, [_at(listened.one, doubt)] if doubt else []
        if not answer.tokens:
            return Written(listened, language, (), tuple(remarks))
        times = listened.encoded.times(start, answer.tokens, one.seconds)
        words = timed_words(vocabulary.words(answer.tokens), times, one, self.sound)
        segments = []
        shown = ENGLISH if self.options.translate else language
        for sentence in sentences(_without_loop(words, answer)):
            if invented(sentence):
                text = "".join(word.text for word in sentence).strip()
                remarks.append(_at(one, f"the model invented {text!r}, which was left out"))
            else:
                segments.append(segment_of(sentence, shown))
        return Written(listened, language, tuple(segments), tuple(remarks))

    def _answer(self, encoded: Encoded, prompt: Sequence[int]) -> tuple[Answer, str]:
        """Return the first good answer, else the best, and what is doubtful about it."""
        answers: list[Answer] = []
        for sampling in ATTEMPTS:
            self.answers += 1
            answer = encoded.write(prompt, sampling)
            if answer.silent:
                nothing = Answer((), "", answer.logprob, answer.no_speech)
                return nothing, "the model hears no speech" if answer.text.strip() else ""
            if answer.good:
                return answer, ""
            answers.append(answer)
        kept = best(answers)
        return kept, "a repetition was left out" if kept.loops else "the words are uncertain"

    def _metrics(self, slices: int, words: int) -> dict[str, float]:
        return {
            "slices": float(slices),
            "encoder_passes": float(self.passes),
            "answers": float(self.answers),
            "words": float(words),
        }


def _may_be_mixed(listened: Listened) -> bool:
    """Return True if a slice is uncertain, and long enough to be clearer in halves."""
    one, heard = listened.one, listened.heard
    if not heard.certain:
        return one.speech_s >= _SHORTEST_UNSURE_S
    return not heard.pure and one.speech_s >= _LONG_S and one.longest_pause_s >= _PAUSE_S


def _without_loop(words: list[TimedWord], answer: Answer) -> list[TimedWord]:
    """Return the words before a phrase is repeated; without spaces, a loop has no start."""
    start = loop_start(answer.text) if answer.loops else None
    return words if start is None else words[:start]


def _with_remark(written: Written) -> Written:
    remark = _at(written.listened.one, f"{written.missed_s:.1f} s of speech have no words")
    return Written(written.listened, written.language, written.segments, (*written.remarks, remark))


def _at(one: Slice, what: str) -> str:
    return f"{one.start:.1f}–{one.end:.1f} s: {what}."

"""A window: languages agreed on, loops left, missed speech heard again. A fake model answers."""

from __future__ import annotations

import pytest

from containers.transcriber.listening import DecodingOptions, Listener, Transcript
from containers.transcriber.tokens import Vocabulary
from containers.transcriber.whisper import Sampling
from pipeline.contracts.audio_windows import Span
from pipeline.errors import UnsupportedLanguage
from tests.containers.transcriber.fakes import FakeModel, Said, sound, span, talk

GERMAN = {"de": 0.99, "en": 0.01}
ENGLISH = {"en": 0.99, "de": 0.01}


def listen(
    model: FakeModel, speech: list[Span], options: DecodingOptions | None = None, end: float = 90
) -> Transcript:
    return Listener(model, sound(*speech, end=end), options or DecodingOptions()).transcribe(speech)


def said(transcript: Transcript) -> list[tuple[str, str]]:
    return [(segment.language, segment.text) for segment in transcript.segments]


def test_each_slice_is_encoded_once(vocabulary: Vocabulary) -> None:
    model = FakeModel(vocabulary, [[Said(" One two.")], [Said(" three.")]])

    found = listen(model, [*talk(0, 20), *talk(22, 40)])

    assert said(found) == [("en", "One two."), ("en", "three.")]
    assert found.metrics == {"slices": 2, "encoder_passes": 2, "answers": 2, "words": 3}
    assert found.remarks == ()


def test_a_language_that_changes_between_slices_is_followed(vocabulary: Vocabulary) -> None:
    model = FakeModel(
        vocabulary, [[Said(" One two.", languages=ENGLISH)], [Said(" three.", languages=GERMAN)]]
    )

    found = listen(model, [*talk(0, 20), *talk(22, 40)])

    assert said(found) == [("en", "One two."), ("de", "three.")]
    assert found.languages == {"en": 0.99, "de": 0.99}


def test_a_slice_in_two_languages_is_cut_at_its_largest_pause(vocabulary: Vocabulary) -> None:
    unsure = Said(" One two three.", languages={"en": 0.72, "de": 0.28})
    model = FakeModel(
        vocabulary,
        [[unsure], [Said(" One two.", languages=ENGLISH)], [Said(" three.", languages=GERMAN)]],
    )

    found = listen(model, [*talk(0, 10), *talk(11.4, 20)])

    assert said(found) == [("en", "One two."), ("de", "three.")]
    assert model.heard == pytest.approx([19.6, 10.2, 8.9], abs=0.5)


def test_an_uncertain_slice_has_the_language_of_most_speech(vocabulary: Vocabulary) -> None:
    model = FakeModel(
        vocabulary,
        [
            [Said(" One two.", languages=GERMAN)],
            [Said(" three.", languages={"nl": 0.6, "de": 0.4})],
        ],
    )

    found = listen(model, [*talk(0, 20), *talk(22, 27)])

    assert said(found) == [("de", "One two."), ("de", "three.")]


def test_a_language_that_was_asked_for_is_not_detected(vocabulary: Vocabulary) -> None:
    model = FakeModel(vocabulary, [[Said(" One.", languages=GERMAN)]])

    found = listen(model, [span(0, 3)], DecodingOptions(language="fr"))

    assert said(found) == [("fr", "One.")]
    assert vocabulary.special("<|fr|>") in model.prompts[0]


def test_a_language_the_model_does_not_know_is_refused(vocabulary: Vocabulary) -> None:
    model = FakeModel(vocabulary, [[Said(" One.")]])

    with pytest.raises(UnsupportedLanguage):
        listen(model, [span(0, 3)], DecodingOptions(language="yue"))


def test_a_translation_is_english_and_names_what_was_spoken(vocabulary: Vocabulary) -> None:
    model = FakeModel(vocabulary, [[Said(" One.", languages=GERMAN)]])

    found = listen(model, [span(0, 3)], DecodingOptions(translate=True))

    assert said(found) == [("en", "One.")]
    assert list(found.languages) == ["de"]
    assert vocabulary.special("<|translate|>") in model.prompts[0]


def test_a_model_of_english_alone_is_asked_without_a_language(vocabulary: Vocabulary) -> None:
    model = FakeModel(vocabulary, [[Said(" One.")]], multilingual=False)

    found = listen(model, [span(0, 3)])

    assert said(found) == [("en", "One.")]
    assert len(model.prompts[0]) == 2


def test_a_loop_is_asked_again_with_beams(vocabulary: Vocabulary) -> None:
    loop = Said(" again" * 30)
    model = FakeModel(vocabulary, [[loop, Said(" One two three.")]])

    found = listen(model, [span(0, 3)])

    assert said(found) == [("en", "One two three.")]
    assert model.samplings == [Sampling(), Sampling(beams=5)]


def test_a_loop_that_stays_is_cut_off_with_a_remark(vocabulary: Vocabulary) -> None:
    model = FakeModel(vocabulary, [[Said(" One two three." + " again and" * 12)]])

    found = listen(model, [span(0, 3)])

    assert found.segments[0].text.startswith("One two three.")
    assert sum(len(segment.words) for segment in found.segments) == 5
    assert "repetition" in found.remarks[0]
    assert found.metrics["answers"] >= 4


def test_text_for_silence_is_left_out_with_a_remark(vocabulary: Vocabulary) -> None:
    model = FakeModel(vocabulary, [[Said(" One two.", logprob=-1.5, no_speech=0.9)]])

    found = listen(model, [span(0, 1.5)])

    assert found.segments == ()
    assert found.coverage == 0.0
    assert found.remarks == ("0.0–1.5 s: the model hears no speech.",)


def test_words_that_the_model_does_not_believe_are_left_out_with_a_remark(
    vocabulary: Vocabulary,
) -> None:
    model = FakeModel(vocabulary, [[Said(" One two.", probability=0.05)]])

    found = listen(model, [span(0, 1.5)])

    assert found.segments == ()
    assert "'One two.'" in found.remarks[0]


def test_words_that_end_long_before_the_speech_are_heard_again_in_halves(
    vocabulary: Vocabulary,
) -> None:
    model = FakeModel(
        vocabulary,
        [
            [Said(" One two.", starts=[0.2, 1.0, 1.8])],
            [Said(" One two three.")],
            [Said(" Four five. three.")],
        ],
    )

    found = listen(model, [span(0, 4), span(4.8, 9)])

    assert [text for _, text in said(found)] == ["One two three.", "Four five.", "three."]
    assert len(model.heard) == 3
    assert found.coverage > 0.6
    assert found.remarks == ()


def test_speech_that_stays_without_words_is_remarked_on(vocabulary: Vocabulary) -> None:
    model = FakeModel(vocabulary, [[Said(" One two.", starts=[0.2, 1.0, 1.8])]])

    found = listen(model, [span(0, 10)])

    assert "of speech have no words" in found.remarks[-1]
    assert found.coverage < 0.8


def test_what_a_prompt_made_the_model_skip_is_written_without_it(vocabulary: Vocabulary) -> None:
    model = FakeModel(vocabulary, [[Said(" three.", starts=[2.0, 2.6]), Said(" One two three.")]])

    found = listen(model, [span(0, 3)], DecodingOptions(prompt="One two"))

    assert said(found) == [("en", "One two three.")]
    assert vocabulary.special("<|startofprev|>") in model.prompts[0]
    assert vocabulary.special("<|startofprev|>") not in model.prompts[1]
    assert len(model.heard) == 1


def test_a_window_without_speech_or_sound_has_no_segments(vocabulary: Vocabulary) -> None:
    model = FakeModel(vocabulary, [[Said(" One.")]])

    assert listen(model, []) == Transcript(
        (), {}, 1.0, (), {"slices": 0, "encoder_passes": 0, "answers": 0, "words": 0}
    )
    silent = Listener(model, sound(end=9), DecodingOptions()).transcribe([span(1, 5)])
    assert silent.segments == ()
    assert silent.remarks == ("No sound is in the window's speech.",)
    assert model.heard == []

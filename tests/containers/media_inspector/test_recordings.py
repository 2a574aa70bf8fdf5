"""A recording is sniffed, hashed in pieces and planned; other media are told apart."""

from __future__ import annotations

import hashlib
import tracemalloc
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from containers.media_inspector import content
from containers.media_inspector.inspection import inspect_media
from containers.media_inspector.options import Profile
from pipeline.artifacts import CHUNK_BYTES, LocalStore, Location, Stat
from pipeline.audio import limits as audio_limits
from pipeline.contracts.contract import Inspected, InspectMedia, SourcePhoto
from pipeline.contracts.transcript import SourceRecording, TranscriptInspected
from pipeline.declared.catalogue import load_catalogue
from pipeline.declared.products import load_products
from pipeline.errors import (
    InvalidOptions,
    MediaTooLarge,
    OtherMedia,
    UnknownModel,
    UnsupportedMedia,
)
from pipeline.photo import limits as photo_limits
from tests.conftest import ROOT
from tests.containers.media_inspector.inspecting import jpeg

TALK: Final = Location("media", "trips/talk.mp3")
FLAC: Final = b"fLaC" + bytes(100)
PRODUCTS: Final = load_products(ROOT)
CATALOGUE: Final = load_catalogue(ROOT)
DEFAULTS: Final = {
    "cutout": {"mask": "u2netp"},
    "transcript": {
        "voice": "silero-vad",
        "speech": "whisper-base",
        "denoise": "deepfilternet3",
        "speakers": "pyannote-campplus",
        "sounds": "efficientat-mn10-as",
    },
}
# What files begin with, of both kinds and of neither.
HEADS: Final = st.tuples(
    st.sampled_from(
        [
            b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"RIFF\0\0\0\0WEBP", b"RIFF\0\0\0\0WAVE",
            b"II*\0", b"MM\0*", b"BM", b"GIF89a", b"\0\0\0\x18ftypheic", b"\0\0\0\x18ftypavif",
            b"\0\0\0\x18ftypmif1", b"\0\0\0\x18ftypisom", b"\0\0\0\x18ftypqt  ", b"fLaC", b"OggS\0",
            b"ID3\x04\0\0\0\0\0\0", b"\xff\xfb\x90\0", b"\x1a\x45\xdf\xa3", b"%PDF", b"",
        ]
    ),
    st.binary(max_size=64),
).map(b"".join)  # fmt: skip


@pytest.fixture
def store(tmp_path: Path) -> LocalStore:
    store = LocalStore(tmp_path)
    store.write(TALK, FLAC, media_type="audio/flac")
    return store


def inspect(
    store: LocalStore,
    product: str = "transcript",
    *,
    hands_over: bool = True,
    profiles: Sequence[Profile] = (),
    **fields: Any,
) -> Inspected:
    task = InspectMedia(
        schema_version=1,
        product=product,
        input={"bucket": TALK.bucket, "key": TALK.key} | fields,
        execution="run-1",
        default_models=DEFAULTS[product],
        lease_s=600,
        hands_over=hands_over,
    )
    return inspect_media(task, store, CATALOGUE, PRODUCTS, profiles)


def transcript(store: LocalStore, **options: Any) -> TranscriptInspected:
    answer = inspect(store, options=options)
    assert isinstance(answer, TranscriptInspected)
    return answer


def test_a_recording_is_named_by_its_content_and_has_the_format_of_its_first_bytes(
    store: LocalStore,
) -> None:
    job = transcript(store).job

    assert job.source.format == "flac"
    assert job.source.media_type == "audio/flac"
    assert job.source.sha256 == hashlib.sha256(FLAC).hexdigest()
    assert job.source.bytes == len(FLAC)
    assert (job.output_stem, job.record_key) == (
        "trips/talk",
        "trips/talk_transcript.record.json",
    )


def test_each_role_has_the_model_that_its_option_asks_for(store: LocalStore) -> None:
    plain = transcript(store)
    asked = transcript(store, model="whisper-tiny", align="wav2vec2-base-960h", denoise=True)

    assert plain.plan.voice.model == "silero-vad"
    assert (plain.plan.speech.model, plain.plan.align, plain.plan.denoise) == (
        "whisper-base", None, None,
    )  # fmt: skip
    assert plain.job.model == "whisper-base"
    assert asked.plan.denoise is not None
    assert asked.plan.denoise.model == "deepfilternet3"
    assert asked.plan.align is not None
    assert asked.job.model == "whisper-tiny"


def test_speakers_and_sounds_are_planned_only_if_they_are_asked_for(store: LocalStore) -> None:
    plain, asked = transcript(store), transcript(store, diarize=True, tags=True)

    assert (plain.plan.speakers, plain.plan.sounds) == (None, None)
    assert asked.plan.speakers is not None
    assert asked.plan.speakers.model == "pyannote-campplus"
    assert asked.plan.sounds is not None
    assert asked.plan.sounds.model == "efficientat-mn10-as"


def test_a_job_that_leaves_the_choice_of_a_model_is_the_same_after_the_default_has_changed(
    store: LocalStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A null model stays null in the job; the plan alone has its name."""
    left = transcript(store, diarize=True)
    named = transcript(store, diarize=True, speaker_model="pyannote-campplus")
    changed = {"voice": "silero-vad", "speech": "whisper-base", "speakers": "better"}
    monkeypatch.setitem(DEFAULTS, "transcript", changed)
    row = CATALOGUE.row("pyannote-campplus").model_copy(update={"name": "better"})
    monkeypatch.setattr(
        f"{__name__}.CATALOGUE", CATALOGUE.model_copy(update={"rows": (row, *CATALOGUE.rows)})
    )
    later = transcript(store, diarize=True)

    assert left.job.options.speaker_model is None
    assert later.job.job_id == left.job.job_id
    assert later.plan.speakers is not None
    assert later.plan.speakers.model == "better"
    assert named.plan.speakers == left.plan.speakers
    assert named.job.job_id != left.job.job_id


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({name: value}, rf"^{name} \(options\) contradicts {asked} \(default\): {why}")
        for asked, why, details in (
            (
                "diarize",
                "only diarize tells speakers apart",
                {
                    "speaker_model": "pyannote-campplus",
                    "speakers": 2,
                    "least_speakers": 2,
                    "most_speakers": 2,
                    "hop_s": 0.5,
                    "name_speakers": True,
                },
            ),
            (
                "tags",
                "only tags names sounds",
                {"tag_model": "efficientat-mn10-as", "most_tags": 5},
            ),
            ("denoise", "only a denoised recording has it", {"attenuation_db": 12}),
        )
        for name, value in details.items()
    ],
)
def test_a_detail_of_what_nobody_asks_for_is_a_contradiction(
    store: LocalStore, options: dict[str, Any], says: str
) -> None:
    with pytest.raises(InvalidOptions, match=says):
        transcript(store, **options)


@pytest.mark.parametrize("limit", ["least_speakers", "most_speakers"])
def test_a_known_number_of_speakers_has_no_limits(store: LocalStore, limit: str) -> None:
    says = rf"^{limit} \(options\) contradicts speakers \(options\): a known number needs no"

    with pytest.raises(InvalidOptions, match=says):
        transcript(store, diarize=True, speakers=2, **{limit: 2})


def test_the_limits_of_the_number_of_speakers_are_in_order(store: LocalStore) -> None:
    says = (
        r"^least_speakers \(options\) contradicts most_speakers \(options\): the first is greater"
    )

    with pytest.raises(InvalidOptions, match=says):
        transcript(store, diarize=True, least_speakers=3, most_speakers=2)
    equal = transcript(store, diarize=True, least_speakers=3, most_speakers=3)
    assert equal.job.options.most_speakers == 3


def test_limits_in_the_wrong_order_are_refused_from_wherever_they_are(store: LocalStore) -> None:
    """A greater number at a weaker place would stay beside the smaller one."""
    profile = Profile(
        product="transcript",
        prefix="trips/",
        options={"diarize": True, "least_speakers": 3},
    )

    with pytest.raises(InvalidOptions, match=r"least_speakers .* contradicts most_speakers"):
        inspect(store, profiles=(profile,), options={"most_speakers": 2})


@pytest.mark.parametrize("option", ["speakers", "hop_s", "most_tags"])
def test_a_count_is_no_truth_value(store: LocalStore, option: str) -> None:
    with pytest.raises(InvalidOptions, match=option):
        transcript(store, diarize=True, tags=True, **{option: True})


@pytest.mark.parametrize(
    "options",
    [
        {"model": "wav2vec2-base-960h"},
        {"align": "whisper-base"},
        {"model": "u2netp"},
        {"diarize": True, "speaker_model": "whisper-base"},
        {"tags": True, "tag_model": "pyannote-campplus"},
    ],
)
def test_a_row_of_another_role_is_unknown(store: LocalStore, options: dict[str, Any]) -> None:
    with pytest.raises(UnknownModel):
        transcript(store, **options)


def test_a_fallback_is_planned_for_speech(store: LocalStore) -> None:
    planned = transcript(store, allow_fallback=True).plan.speech.fallback

    assert planned is not None
    assert (planned.model, planned.degraded) == ("whisper-tiny", True)


def test_a_state_machine_that_gives_no_model_for_a_role_is_at_fault(
    store: LocalStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(DEFAULTS, "transcript", {"speech": "whisper-base"})

    with pytest.raises(LookupError, match="no default model of audio-reader was given"):
        transcript(store)


def test_a_photo_with_a_recordings_name_is_other_media(store: LocalStore) -> None:
    store.write(TALK, jpeg(), media_type="image/jpeg")

    with pytest.raises(OtherMedia, match=r"talk\.mp3 is a photo"):
        inspect(store)
    with pytest.raises(UnsupportedMedia, match="neither a recording nor a film, but a photo"):
        inspect(store, hands_over=False)


def test_a_recording_with_a_photos_name_is_other_media(store: LocalStore) -> None:
    with pytest.raises(OtherMedia, match=r"talk\.mp3 is a recording"):
        inspect(store, "cutout")
    with pytest.raises(UnsupportedMedia):
        inspect(store, "cutout", hands_over=False)


@pytest.mark.parametrize("product", ["transcript", "cutout"])
def test_an_empty_file_is_called_empty(store: LocalStore, product: str) -> None:
    store.write(TALK, b"", media_type="audio/mpeg")

    with pytest.raises(UnsupportedMedia, match="the file is empty"):
        inspect(store, product)


def test_what_is_neither_is_unsupported_by_both(store: LocalStore) -> None:
    store.write(TALK, b"%PDF-1.7", media_type="application/pdf")

    with pytest.raises(UnsupportedMedia, match="first bytes 25 50 44 46"):
        inspect(store)
    with pytest.raises(UnsupportedMedia):
        inspect(store, "cutout")


def test_other_media_are_found_before_their_options_and_size_are_judged(
    store: LocalStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(photo_limits, "MAX_BYTES", len(FLAC) - 1)

    with pytest.raises(OtherMedia):
        inspect(store, "cutout", options={"denoise": True})
    with pytest.raises(InvalidOptions, match="background"):
        inspect(store, options={"background": "#ff0000"})


@given(HEADS)
def test_no_two_products_hand_a_file_to_each_other(head: bytes) -> None:
    def hands_over(kind: type[SourcePhoto | SourceRecording]) -> bool:
        try:
            content.require_own_media(kind, head, TALK, hand=True)
        except OtherMedia:
            return True
        except UnsupportedMedia:
            return False
        return False

    assert not (hands_over(SourcePhoto) and hands_over(SourceRecording))


class Film(LocalStore):
    """Has one object of any size, which is made as it is streamed."""

    size = 0

    def stat(self, location: Location) -> Stat:  # noqa: ARG002 - it is every object
        return Stat(self.size, "etag", None, {})

    def read(self, location: Location) -> bytes:
        raise AssertionError(f"{location.uri} was read at once")

    def stream(self, location: Location) -> Iterator[bytes]:  # noqa: ARG002
        for at in range(0, self.size, CHUNK_BYTES):
            yield FLAC.ljust(min(CHUNK_BYTES, self.size - at), b"\0")


def test_a_film_is_hashed_in_pieces(tmp_path: Path) -> None:
    store = Film(tmp_path)
    store.size = 200 * CHUNK_BYTES + 700
    inspect(store)  # whatever is loaded once is loaded now
    tracemalloc.start()

    found = inspect(store)

    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert found.job.source.bytes == store.size
    assert peak < 16 * CHUNK_BYTES


def test_a_film_above_the_limit_is_too_large(tmp_path: Path) -> None:
    store = Film(tmp_path)
    store.size = audio_limits.MAX_BYTES + 1

    with pytest.raises(MediaTooLarge, match="5,000,000,000"):
        inspect(store)

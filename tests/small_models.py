"""Small networks in place of the published ones of transcripts and faces, and media for them.

Nothing is fetched, and the text is known: the small Whisper writes `TEXT`, whatever it hears. A
face is a red square.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

import numpy as np

from containers.audio_tagger.selftest import TONES
from containers.transcriber.selftest import WORDS, row_of
from containers.transcriber.small_whisper import build_whisper
from pipeline.audio.flac import encode_flac
from pipeline.contracts.speakers import PART_S
from tests import speaker_models
from tests.denoiser_models import stock_denoiser
from tests.embedding_models import stock_embedder
from tests.face_models import RED, painted, stock_faces
from tests.pictures import png
from tests.pipeline.audio.recordings import encoded
from tests.speaker_models import PITCHES, Tone, stock_speakers, tones
from tests.tagger_models import Ears, stock_tagger
from tests.voice_models import stock_voice, voice_row

TEXT: Final = "".join(WORDS).strip()
RATE: Final = 48_000
LOUD: Final = (1.0, 5.0)  # the seconds in which `talk` is loud; the text takes 3.5 s
LONG_S: Final = 6.0
# Of a conversation of two parts: who is second in the first part begins the second one.
TURNS: Final = (
    (3.0, 7.0, 1),
    (8.0, 12.0, 2),
    (PART_S + 2.0, PART_S + 6.0, 2),
    (PART_S + 7.0, PART_S + 11.0, 1),
)  # start and end in seconds, and the index of the speaker's pitch
SPOKEN_S: Final = 12  # of each part
# Of a photo of two people: left, top and side of each, in pixels. The second is too small to embed.
PEOPLE: Final = ((160, 80, 80), (40, 80, 40))


def talk() -> bytes:
    """Return a WAV file with a tone between two seconds of silence."""
    time = np.arange(round(LONG_S * RATE)) / RATE
    loud = (time >= LOUD[0]) & (time < LOUD[1])
    tone = np.where(loud, 0.3 * np.sin(2 * np.pi * 760 * time), 0)
    return encoded(tone[:, None].astype(np.float32), ".wav")


def conversation() -> bytes:
    """Return a FLAC file of `TURNS`: silence for half an hour, but for the start of each part."""
    rate = speaker_models.RATE
    samples = np.zeros(((PART_S + SPOKEN_S) * rate, 1), np.float32)
    for part in (0, PART_S):
        own = [
            Tone(who, start - part, end - part)
            for start, end, who in TURNS
            if part <= start < part + PART_S
        ]
        samples[part * rate : (part + SPOKEN_S) * rate, 0] = tones(*own, seconds=SPOKEN_S)
    return encode_flac(samples, rate=rate)


def people(light: int = 255) -> bytes:
    """Return a PNG file with the faces `PEOPLE`."""
    red = (light, *RED[1:])
    return png(painted(*((*face, red) for face in PEOPLE)))


def stock_small_models(folder: Path) -> Path:
    """Write the networks; return a catalogue whose rows replace those of the published ones."""
    build_whisper(folder, WORDS)
    rows = [
        voice_row(stock_voice(folder), "silero-vad"),
        row_of(folder, "whisper-base"),
        stock_denoiser(folder, "deepfilternet3"),
        stock_speakers(folder, "pyannote-campplus"),
        stock_faces(folder, "face-api-ssd"),
        stock_embedder(folder, "face-api-resnet34", "landmarks"),
        stock_tagger(folder, "efficientat-mn10-as", Ears(tones={**TONES, "Speech": PITCHES[1]})),
    ]
    catalogue = folder / "catalogue.toml"
    catalogue.write_text("\n".join(rows))
    return catalogue

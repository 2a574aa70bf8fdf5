"""`python -m containers.audio_reader.selftest`: decode a drawn voice, and open nothing else.

The image has no weights, so a stand-in hears speech where it is loud.
"""

from __future__ import annotations

import io
from pathlib import Path
from typing import Final

import numpy as np
import onnxruntime as ort

from containers.audio_reader.reading import Outputs, Read, read
from containers.audio_reader.speech import Thresholds
from containers.audio_reader.windows import Piece, Windower
from pipeline.audio.flac import decode_flac, encode_flac
from pipeline.audio.samples import Samples
from pipeline.audio.sniffing import HEAD_BYTES, sniff
from pipeline.contracts.audio_windows import SPEECH_RATE
from pipeline.errors import PipelineError, UnsupportedMedia
from pipeline.selftest import Trial, selftest

RECORDING: Final = Path(__file__).parent / "golden" / "recording.opus"
TEXT: Final = b"ffconcat version 1.0\nfile '/etc/passwd'\n"


def check(trial: Trial) -> None:
    content, pieces, whole = RECORDING.read_bytes(), list[Piece](), io.BytesIO()

    found = _read(content, str(sniff(content[:HEAD_BYTES])), Outputs(pieces.append, whole))

    facts = (found.recording.codec, found.recording.rate, found.recording.channels)
    trial.expect("recording", facts, ("opus", 48_000, 1))
    trial.expect("seconds", round(found.recording.duration_s, 1), 6.9)
    trial.expect("spoken", round(found.speech_s), 5)
    (piece,) = pieces
    samples, rate = decode_flac(encode_flac(piece.samples, rate=SPEECH_RATE))
    trial.expect("window", (rate, len(samples)), (SPEECH_RATE, len(piece.samples)))
    samples, rate = decode_flac(whole.getvalue())
    trial.expect("recorded", len(samples) / rate, found.recording.duration_s)
    trial.expect("text", (sniff(TEXT), _refusal(TEXT)), (None, UnsupportedMedia.__name__))
    trial.expect("processor", "CPUExecutionProvider" in ort.get_available_providers(), True)  # noqa: FBT003


def _refusal(content: bytes) -> str:
    try:
        _read(content, "concat", Outputs(lambda _piece: None))
    except PipelineError as error:
        return type(error).__name__
    return "nothing"


def _read(content: bytes, demuxer: str, outputs: Outputs) -> Read:
    windower = Windower(_loudness, Thresholds(onset=0.5, offset=0.35))
    return read(io.BytesIO(content), demuxer, windower, outputs)


def _loudness(step: Samples) -> float:
    return min(1.0, 20 * float(np.abs(step).mean()))


if __name__ == "__main__":
    selftest("audio-reader", check)

"""The real networks of pyannote-2022-ge2e on pyannote's sample: two people, with overlaps."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import numpy as np
import pytest
import soundfile

from containers.diarizer.clustering import Limits
from containers.diarizer.diarizing import Loaded
from containers.diarizer.listening import Found, Listener, limits_of
from containers.diarizer.network import Network, open_network
from containers.diarizer.spec import RATE, Signal, SpeakersSpec
from pipeline.declared.catalogue import load_catalogue
from pipeline.weights.staged import StagedFile, StagedWeights
from tests.bench.audio.der import errors
from tests.bench.audio.rttm import Turn, read_rttm
from tests.conftest import ROOT
from tests.e2e.conftest import kept, recording

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(600)]

MODEL: Final = "pyannote-2022-ge2e"
CUT_S: Final = 18
FREE: Final = limits_of(None, None, None, alone=True)


@pytest.fixture(scope="module")
def networks() -> Loaded:
    folder = kept(MODEL)
    record = StagedWeights.parse((folder / "manifest.json").read_bytes(), uri="manifest.json")
    segmentation, embedding = (opened(folder, file) for file in record.files)
    return Loaded(segmentation, embedding, "")


def opened(folder: Path, file: StagedFile) -> Network:
    assert file.converted is not None
    made = file.converted.file
    (path,) = folder.rglob(made.name)
    return open_network(path, optimised=False, memory="returned", threads=1)


@pytest.fixture(scope="module")
def sample() -> Signal:
    sound, rate = soundfile.read(recording("sample.wav"), dtype="float32")
    assert rate == RATE
    signal: Signal = sound
    return signal


def found(
    networks: Loaded, *windows: tuple[float, Signal], hop_s: float = 1, limits: Limits = FREE
) -> Found:
    spec = load_catalogue(ROOT).row(MODEL).spec(SpeakersSpec)
    listener = Listener(networks, spec, hop_s=hop_s)
    for start, signal in windows:
        listener.hear(signal, start)
    return listener.find(limits)


def turns(part: Found, names: dict[int, str] | None = None) -> list[Turn]:
    known = names or {}
    return [
        Turn(turn.start, turn.end, known.get(turn.speaker, f"{id(part)}-{turn.speaker}"))
        for turn in part.turns
    ]


def error_rate(*parts: list[Turn]) -> float:
    true = read_rttm(recording("sample.rttm").read_text())
    return errors(true, [turn for part in parts for turn in part], collar_s=0).rate


@pytest.mark.parametrize("hop_s", [0.5, 1, 2.5])
def test_at_most_a_tenth_of_the_speech_is_wrong(
    networks: Loaded, sample: Signal, hop_s: float
) -> None:
    part = found(networks, (0, sample), hop_s=hop_s)

    assert len(part.speakers) == 2
    assert error_rate(turns(part)) <= 10


def test_a_known_number_makes_nothing_worse(networks: Loaded, sample: Signal) -> None:
    part = found(networks, (0, sample), limits=Limits(2, 2))

    assert error_rate(turns(part)) <= 10


def test_two_parts_are_linked_by_their_centroids(networks: Loaded, sample: Signal) -> None:
    at = CUT_S * RATE
    one, other = found(networks, (0, sample[:at])), found(networks, (CUT_S, sample[at:]))

    near = np.array([each.centroid for each in one.speakers]) @ np.transpose(
        [each.centroid for each in other.speakers]
    )
    names = {int(near[who].argmax()): f"{id(one)}-{who}" for who in range(len(one.speakers))}

    assert len(names) == len(one.speakers) == len(other.speakers) == 2
    whole = error_rate(turns(found(networks, (0, sample))))
    assert error_rate(turns(one), turns(other, names)) <= whole + 3

"""The network hears every sample once, with those before them and a state that is carried on."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from containers.audio_reader.network import open_network
from containers.audio_reader.voice import STEP, Voice
from pipeline.audio.samples import Samples
from tests.voice_models import LOUD, SOON, Kind, stock_voice


@pytest.fixture
def voice(tmp_path: Path, request: pytest.FixtureRequest) -> Voice:
    kind: Kind = request.param
    return Voice(open_network(stock_voice(tmp_path, kind)))


def step(level: float) -> Samples:
    return np.full(STEP, level, np.float32)


@pytest.mark.parametrize("voice", ["loudness"], indirect=True)
def test_each_probability_is_of_its_own_step(voice: Voice) -> None:
    heard = [voice.probability(step(level)) for level in (0, 0.05, -0.02, 0, 1)]

    assert heard == pytest.approx([0, 0.05 * LOUD, 0.02 * LOUD, 0, 1])


@pytest.mark.parametrize("voice", ["counting"], indirect=True)
def test_the_state_is_carried_on(voice: Voice) -> None:
    heard = [voice.probability(step(0)) for _ in range(50)]

    assert heard == pytest.approx([count / SOON for count in range(50)])


@pytest.mark.parametrize("voice", ["context"], indirect=True)
def test_the_samples_before_a_step_are_heard_with_it(voice: Voice) -> None:
    ramp = np.linspace(0, 1, 3 * STEP, dtype=np.float32)

    heard = [voice.probability(part) for part in ramp.reshape(3, STEP)]

    assert heard == pytest.approx([0, ramp[STEP - 64], ramp[2 * STEP - 64]])


def test_another_recording_begins_anew(tmp_path: Path) -> None:
    network = open_network(stock_voice(tmp_path, "counting"))

    assert [Voice(network).probability(step(0)) for _ in range(2)] == [0, 0]

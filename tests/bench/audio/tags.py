"""The audio tagger with YAMNet's real weights, in 8 bits: time, memory, and what it hears.

One long sound is tagged in a process of its own: a dialogue, a chord that fades, and silence.
"""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import Final

from pipeline.artifacts import Location
from pipeline.contracts.sounds import SOUND_RATE, TagAudio
from pipeline.declared.catalogue import load_catalogue
from tests import yamnet_weights
from tests.bench.audio.dialogues import write_hours
from tests.bench.audio.voices import real_voices
from tests.bench.figures import Figures, Missing
from tests.bench.one_task import StreamingStore
from tests.bench.tasks import in_process, stage
from tests.conftest import ROOT

MODEL: Final = "yamnet-8-bits"
_MINUTES: Final = (5, 60)
_MOST_CPU: Final = 0.02  # CPU-seconds for a second of audio
_MOST_GROWTH: Final = 1.1


def main() -> None:
    if why := yamnet_weights.missing():
        raise Missing(why)
    people = real_voices()
    figures = Figures("Audio tagger, one thread: YAMNet in 8 bits, loaded and run")
    peaks = []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        catalogue = folder / "catalogue.toml"
        catalogue.write_text(yamnet_weights.stock_yamnet(folder, MODEL))
        store = StreamingStore(folder / "store")
        stage(store, folder, [MODEL], catalogue)
        for minutes in _MINUTES:
            path = folder / "sound.flac"
            write_hours(path, people, seconds=minutes * 60, rate=SOUND_RATE)
            place = Location("work", f"{minutes} minutes/sound.flac")
            sound = store.upload(path, place, sha256="0" * 64)
            job = TagAudio(
                schema_version=1, job_id="1", execution="e", model=MODEL, models_bucket="models",
                weights_key=load_catalogue(ROOT, [catalogue]).row(MODEL).weights_key, sound=sound,
                most_tags=10, work_bucket="work", work_prefix=f"{minutes} minutes",
                output_stem="talk",
            )  # fmt: skip
            told = in_process("audio_tagger", job, folder, catalogue)
            peaks.append(told["peak_mb"])
            figures.add(f"{minutes} minutes: peak, MB", f"{told['peak_mb']:.0f}")
            per_second = told["cpu_s"] / (60 * minutes)
            figures.at_most("  CPU-seconds a second of audio", per_second, _MOST_CPU, form=".4f")
        tags = json.loads(store.read(Location("work", f"{minutes} minutes/tags.json")))
    figures.at_most("growth of the peak", peaks[1] / peaks[0], _MOST_GROWTH, form=".2f")
    heard = ", ".join(f"{each['label']} {each['score']:.2f}" for each in tags["predictions"][:4])
    figures.add("most probable labels", heard)
    figures.show()

"""`python -m containers.audio_tagger.selftest`: a small network finds a tone, and when it sounds.

The image has no weights, so a network that knows two tones stands in (`standin/`).
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from containers.audio_tagger.document import Tags
from containers.audio_tagger.handler import handler
from containers.audio_tagger.labels import names_of
from pipeline.artifacts import Location
from pipeline.contracts.sounds import AudioTagged
from pipeline.golden import Row
from pipeline.selftest import Trial, selftest
from pipeline.weights.staged import StagedFile, StagedWeights

NAME: Final = "tones"
NETWORK: Final = Path(__file__).parent / "standin" / "tones.onnx"
TONES: Final[Mapping[str, float]] = {"Music": 400, "Siren": 1200}  # Hz
RATE: Final = 8_000
WINDOW: Final = 4_000  # samples; a hop is half of it

_ROW: Final = """
[[models]]
name = "{name}"
container = "audio-tagger"
summary = "For the self-test: labels are tones."
engine = "clip"
licence = "MIT"
commercial = true
memory_mb = 512

[models.clip]
rate = {rate}
window = {window}
hop = {hop}
vocabulary = "audioset"
labels = {labels}
speech = 0
music = {music}
onset = 0.5
offset = 0.25
gap_s = 0
least_s = 0

[[models.files]]
name = "tones.onnx"
digest = "sha256:{digest}"
"""


def check(trial: Trial) -> None:
    bench, network, names = trial.bench, NETWORK.read_bytes(), names_of("audioset")
    digest = hashlib.sha256(network).hexdigest()
    overlay = bench.settings.scratch / "catalogue.toml"
    overlay.parent.mkdir(parents=True, exist_ok=True)
    overlay.write_text(
        _ROW.format(
            name=NAME,
            rate=RATE,
            window=WINDOW,
            hop=WINDOW // 2,
            labels=len(names),
            music=names.index("Music"),
            digest=digest,
        )
    )
    trial.offer(overlay)
    artifact = trial.put(Location("models", "tones.onnx"), network)
    file = StagedFile(
        name=NETWORK.name, digest=f"sha256:{digest}", source="selftest", artifact=artifact
    )
    record = StagedWeights(model=NAME, licence="MIT", files=(file,))
    trial.put(Location("models", "tones.json"), record.model_dump_json().encode())

    result = trial.run(handler, AudioTagged, row=Row(NAME, "clip", "tones.json"))

    first = result.predictions[0]
    trial.expect("first label", first.label, "Music")
    trial.expect("certain", first.score > 0.9, True)  # noqa: FBT003
    tags = Tags.model_validate_json(trial.read(result.file.artifact))
    spans = [(span.label, span.start, span.end) for span in tags.spans]
    trial.expect("spans", spans, [("Music", 1.125, 2.0)])


if __name__ == "__main__":
    selftest("audio-tagger", check)

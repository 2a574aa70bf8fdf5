"""`python -m containers.model_downloader.selftest`: our model is staged, tried and made lean."""

from __future__ import annotations

from containers.model_downloader.handler import handler
from pipeline.artifacts import Location
from pipeline.contracts.weights import StageWeights, WeightsStaged
from pipeline.hardware import cpu_family
from pipeline.model_context import catalogue_of
from pipeline.selftest import Trial, selftest
from pipeline.weights.staged import StagedWeights

MODEL = "starter"


def check(trial: Trial) -> None:
    row = catalogue_of(trial.bench).row(MODEL)
    job = StageWeights(schema_version=1, model=MODEL, models_bucket="models", force=False)

    told = trial.run(handler, job, WeightsStaged)
    again = trial.run(handler, job, WeightsStaged)

    (published,) = row.files
    manifest = Location("models", row.weights_key)
    staged = StagedWeights.parse(trial.bench.store.read(manifest), uri=manifest.uri)
    trial.expect("staged", told.already_staged, expected=False)
    trial.expect("staged once", again.already_staged, expected=True)
    trial.expect("weights", f"sha256:{staged.files[0].artifact.sha256}", published.digest)
    trial.expect("made lean", bool(staged.files[0].optimised), cpu_family() is not None)


if __name__ == "__main__":
    selftest("model-downloader", check)

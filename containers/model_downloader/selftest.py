"""`python -m containers.model_downloader.selftest`: stage, test and optimise the starter."""

from __future__ import annotations

from containers.model_downloader.handler import handler
from pipeline.contracts.weights import WeightsStaged
from pipeline.hardware import cpu_family
from pipeline.selftest import Trial, selftest
from pipeline.weights.staged import StagedWeights


def check(trial: Trial) -> None:
    first = trial.run(handler, WeightsStaged)
    second = trial.run(handler, WeightsStaged)

    staged = StagedWeights.parse(trial.read(first.manifest), uri=first.manifest.uri)
    trial.expect("staged before", [first.already_staged, second.already_staged], [False, True])
    trial.expect("optimised", bool(staged.files[0].optimised), cpu_family() is not None)


if __name__ == "__main__":
    selftest("model-downloader", check)

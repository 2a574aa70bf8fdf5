"""Find optimised networks that this machine made earlier, so that a laptop makes them once."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from containers.model_downloader.optimisation.order import EDITION
from pipeline.artifacts import Location
from pipeline.declared.models import ModelRow
from pipeline.errors import WeightsMismatch
from pipeline.weights.local_weights import checksums
from pipeline.weights.staged import (
    OptimisedNetwork,
    PassedTrial,
    Runtime,
    StagedFile,
    StagedWeights,
)


def kept_file(
    folder: Path, row: ModelRow, name: str, network: Path, here: Runtime
) -> StagedFile | None:
    """Return the staged file `name` if its networks are complete and the best one is for `here`.

    `network` is the published file, or what it was converted to. `folder` has the layout of the
    models bucket. None means that the networks must be made again: another edition made them, or
    the best one's comparison is no longer within bounds.
    """
    staged = kept_record(folder, row)
    digests = {file.name: file.digest for file in row.files}
    for file in staged.files if staged else ():
        if file.name != name or not file.optimised:
            continue
        best = file.best(digests.get(file.name), here)
        if best is not file.optimised[0]:
            continue
        serves = all(each.edition == EDITION and _whole(folder, each) for each in file.optimised)
        if serves and file.network.artifact.sha256 == checksums(network)["sha256"]:
            return file
    return None


def kept_path(folder: Path, uri: str) -> Path:
    """Return the path of the copy of an object in the models bucket."""
    return folder / Location.parse(uri).key


def kept_record(folder: Path, row: ModelRow) -> StagedWeights | None:
    """Return the record of the model's weights that this machine staged, or None."""
    path = folder / row.weights_key
    if not path.is_file():
        return None
    try:
        return StagedWeights.parse(path.read_bytes(), uri=str(path))
    except WeightsMismatch:
        return None  # an older version, or damaged: run `matteline models verify`


def passed_before(record: StagedWeights, trial: PassedTrial, arrived: Mapping[str, str]) -> bool:
    """Return True if the record says that all files passed the trial.

    `arrived` has the SHA-256 of each, or of the network that it was converted to, by file name.
    """
    passed = {
        file.name: file.network.artifact.sha256 for file in record.files if file.trial == trial
    }
    return passed == arrived


def _whole(folder: Path, network: OptimisedNetwork) -> bool:
    """Return True if every file of the network is present with its checksum."""
    copies = ((kept_path(folder, file.artifact.uri), file.artifact) for file in network.files)
    return all(
        path.is_file() and checksums(path)["sha256"] == artifact.sha256 for path, artifact in copies
    )

"""Fetch, try, publish. The manifest goes last: whoever sees it sees a complete model."""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Sequence
from pathlib import Path

from containers.model_downloader.smoke import require_declared_network
from containers.model_downloader.smoke_sam import require_declared_pair
from containers.model_downloader.sources import Sources
from pipeline.artifacts import Artifact, ArtifactStore, Location
from pipeline.contracts import StageWeights, WeightsStaged
from pipeline.errors import InvalidOptions
from pipeline.manifest import ModelRow
from pipeline.specs import SaliencySpec, SamSpec
from pipeline.weights import StagedFile, StagedWeights


def stage_weights(
    job: StageWeights,
    *,
    row: ModelRow,
    store: ArtifactStore,
    sources: Sources,
    scratch: Path,
) -> WeightsStaged:
    """Put every file of `row` under its prefix; WeightsUnavailable or WeightsMismatch if not.

    A hosted model has no files: InvalidOptions.
    """
    if row.hosted:
        raise InvalidOptions(f"{row.name} is hosted elsewhere: it has no weights to stage")
    manifest = Location(job.models_bucket, row.weights_key)
    staged = None if job.force else _already_staged(store, manifest)
    if staged is not None:
        return WeightsStaged(model=row.name, manifest=staged, already_staged=True)
    scratch.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=scratch, prefix="staging-") as folder:
        files = _stage_files(row, store, sources, Path(folder), bucket=job.models_bucket)
    weights = StagedWeights(model=row.name, licence=row.licence, files=files)
    content = weights.model_dump_json(indent=2).encode()
    artifact = store.write(manifest, content, media_type="application/json")
    return WeightsStaged(model=row.name, manifest=artifact, already_staged=False)


def _already_staged(store: ArtifactStore, manifest: Location) -> Artifact | None:
    try:
        content = store.read(manifest)
    except KeyError:
        return None
    return Artifact(
        uri=manifest.uri, sha256=hashlib.sha256(content).hexdigest(), bytes=len(content)
    )


def _stage_files(
    row: ModelRow, store: ArtifactStore, sources: Sources, folder: Path, *, bucket: str
) -> tuple[StagedFile, ...]:
    fetched = [
        (file, folder / file.name, sources.fetch(file, folder / file.name)) for file in row.files
    ]
    _require_declared(row, [path for _, path, _ in fetched])
    return tuple(
        StagedFile(
            name=file.name,
            artifact=store.upload(
                path, Location(bucket, f"{row.weights_prefix}/{file.name}"), sha256=sha256
            ),
        )
        for file, path, sha256 in fetched
    )


def _require_declared(row: ModelRow, paths: Sequence[Path]) -> None:
    """Load what was fetched and compare it with the row, as its engine wants it."""
    if row.engine == "sam":
        encoder, decoder, *_ = paths
        require_declared_pair(encoder, decoder, row.spec(SamSpec))
    else:
        require_declared_network(paths[0], row.spec(SaliencySpec))

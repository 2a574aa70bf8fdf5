"""Keep staged weights on this machine between runs, and verify the kept copies."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from pipeline.artifacts import Artifact, Location
from pipeline.declared.models import ModelRow, PublishedFile
from pipeline.declared.names import LOCAL_NAMES as NAMES
from pipeline.errors import WeightsMismatch
from pipeline.session.choice import cache_folder
from pipeline.session.whole_files import whole_file
from pipeline.weights.local_weights import checksums
from pipeline.weights.staged import StagedWeights

if TYPE_CHECKING:
    from pipeline.local.cloud import LocalCloud

OK: Final = "ok"
ABSENT: Final = "no copy"


def keep_weights(cloud: LocalCloud, folder: Path) -> None:
    """Copy every complete model to `folder`: weights, optimised networks, and its record last."""
    pages = (
        cloud.client("s3").get_paginator("list_objects_v2").paginate(Bucket=NAMES.bucket("models"))
    )
    keys = {stored["Key"] for page in pages for stored in page.get("Contents", [])}
    for record in sorted(key for key in keys if key.endswith("/manifest.json")):
        with contextlib.suppress(WeightsMismatch):  # an invalid record fails when it is used
            artifacts = _artifacts(staged_weights(cloud, record))
            if keys.issuperset(Location.parse(artifact.uri).key for artifact in artifacts):
                _keep_model(cloud, record, artifacts, folder)


def _artifacts(staged: StagedWeights) -> list[Artifact]:
    made = (network for file in staged.files for network in file.optimised)
    return [
        *(file.artifact for file in staged.published),
        *(file.converted.file.artifact for file in staged.files if file.converted),
        *(each.artifact for network in made for each in network.files),
    ]


def _keep_model(cloud: LocalCloud, key: str, artifacts: Sequence[Artifact], folder: Path) -> None:
    record = folder / key
    if _recorded(record) == artifacts:
        _keep_trials(cloud, key, record)
        return  # the record of the first staging says where the weights came from
    record.unlink(missing_ok=True)  # the record is absent until every file is in place
    for artifact in artifacts:
        target = folder / Location.parse(artifact.uri).key
        if not target.exists() or checksums(target)["sha256"] != artifact.sha256:
            _keep(cloud, artifact.uri, target)
    _keep(cloud, Location(NAMES.bucket("models"), key).uri, record)


def _keep_trials(cloud: LocalCloud, key: str, record: Path) -> None:
    """Write the trials that the files have passed since into the kept record."""
    before = StagedWeights.parse(record.read_bytes(), uri=str(record))
    trials = {file.name: file.trial for file in staged_weights(cloud, key).files}
    files = tuple(
        file.model_copy(update={"trial": trials[file.name] or file.trial}) for file in before.files
    )
    if files != before.files:
        with whole_file(record) as partial:
            kept = before.model_copy(update={"files": files})
            partial.write_text(kept.model_dump_json(indent=2))


def _recorded(record: Path) -> list[Artifact] | None:
    """Return the artifacts of a kept record; None if there is none or it is invalid."""
    try:
        return _artifacts(StagedWeights.parse(record.read_bytes(), uri=str(record)))
    except (FileNotFoundError, WeightsMismatch):
        return None


def kept_source(row: ModelRow, name: str) -> str | None:
    """Return where a kept file of the model came from; None if its record does not say.

    A kept file that was staged again has the address of the kept file itself.
    """
    record = cache_folder() / row.weights_key
    try:
        staged = StagedWeights.parse(record.read_bytes(), uri=str(record))
    except (FileNotFoundError, WeightsMismatch):
        return None
    source = next((file.source for file in staged.published if file.name == name), None)
    return None if source and source.startswith(cache_folder().absolute().as_uri()) else source


def recorded_here(row: ModelRow) -> dict[str, str]:
    """Return the SHA-256 of each of the model's files as this machine staged them, by name."""
    try:
        return _staged_sha256(cache_folder() / row.weights_key)
    except WeightsMismatch:
        return {}


def staged_weights(cloud: LocalCloud, key: str) -> StagedWeights:
    """Read a staged weights record in the models bucket."""
    answer = cloud.client("s3").get_object(Bucket=NAMES.bucket("models"), Key=key)
    return StagedWeights.parse(answer["Body"].read(), uri=key)


def _keep(cloud: LocalCloud, uri: str, target: Path) -> None:
    place = Location.parse(uri)
    with whole_file(target) as partial:
        cloud.client("s3").download_file(place.bucket, place.key, str(partial))


@dataclass(frozen=True)
class Copy:
    """A copy of a model's file on this machine. `verdict` is OK, ABSENT, or the problem."""

    model: str
    file: str
    place: str
    verdict: str


def verify_copies(row: ModelRow, folders: Sequence[Path]) -> list[Copy]:
    """Hash every copy of the row's files; compare it with the catalogue and the staged record."""
    pinned: dict[str, str] = {}
    copies: list[Copy] = []
    for folder in folders:
        record = folder / row.weights_key
        try:
            pinned |= _staged_sha256(record)
        except WeightsMismatch as error:
            copies.append(Copy(row.name, record.name, str(record), error.message))
    for file in row.published:
        found = list(_copies_of(file, row, folders))
        copies += [
            Copy(row.name, file.name, str(path), _verdict(path, file, pinned.get(file.name)))
            for path in found
        ]
        if not found:
            copies.append(Copy(row.name, file.name, "", ABSENT))
    return copies


def _copies_of(file: PublishedFile, row: ModelRow, folders: Sequence[Path]) -> Iterator[Path]:
    for folder in folders:
        for path in (folder / row.weights_prefix / file.name, folder / file.name):
            if path.is_file():
                yield path


def _staged_sha256(record: Path) -> dict[str, str]:
    if not record.is_file():
        return {}
    staged = StagedWeights.parse(record.read_bytes(), uri=str(record))
    return {file.name: file.artifact.sha256 for file in staged.published}


def _verdict(path: Path, file: PublishedFile, pinned: str | None) -> str:
    size, actual = path.stat().st_size, checksums(path)
    if file.bytes not in {None, size}:
        return f"{size:,} bytes; the catalogue says {file.bytes:,}"
    if file.stated and file.refuses(actual):
        algorithm, published = file.stated
        return f"{algorithm} {_short(actual[algorithm])}; the catalogue says {_short(published)}"
    if pinned not in {None, actual["sha256"]}:
        return f"sha256 {_short(actual['sha256'])}; it was staged as {_short(str(pinned))}"
    if file.stated is None and pinned is None:
        return "unverified: its publisher states no digest, and none was recorded here"
    return OK


def _short(digest: str) -> str:
    return f"{digest[:8]}…"

"""Staged weights to verified files on this machine, once per process."""

import hashlib
import os
import tempfile
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from pipeline.artifacts import Artifact, ArtifactStore, Location
from pipeline.errors import WeightsMismatch, WeightsNotStaged


class StagedFile(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    artifact: Artifact


class StagedWeights(BaseModel):
    """`models/<name>/<revision>/manifest.json`: written last, so whoever sees it sees it all."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    model: str
    licence: str
    files: tuple[StagedFile, ...] = Field(min_length=1)


class LocalWeights:
    """Verified copies of staged files under one folder, shared by the warm calls of a process.

    A file is trusted when this process has hashed it: another process may have left it damaged.
    """

    def __init__(self, store: ArtifactStore, folder: Path) -> None:
        self._store = store
        self._folder = folder
        self._verified: dict[Location, tuple[tuple[Path, str], ...]] = {}

    def files(self, manifest: Location) -> tuple[tuple[Path, str], ...]:
        """(path, sha256) of every file of a model; WeightsNotStaged or WeightsMismatch if not."""
        if manifest not in self._verified:
            staged = self._read_manifest(manifest)
            self._verified[manifest] = tuple(self._fetch(file) for file in staged.files)
        return self._verified[manifest]

    def _read_manifest(self, manifest: Location) -> StagedWeights:
        try:
            return StagedWeights.model_validate_json(self._store.read(manifest))
        except KeyError:
            raise WeightsNotStaged(f"there is no {manifest.uri}") from None
        except ValidationError as error:
            raise WeightsMismatch(f"{manifest.uri} is no manifest of staged weights") from error

    def _fetch(self, file: StagedFile) -> tuple[Path, str]:
        expected = file.artifact.sha256
        path = self._folder / f"{expected}-{Path(file.name).name}"
        if not path.exists():
            self._download(file.artifact, path)
        actual = sha256_of(path)
        if actual != expected:
            path.unlink()
            raise WeightsMismatch(f"{file.artifact.uri} hashes to {actual}, not to {expected}")
        return path, expected

    def _download(self, artifact: Artifact, path: Path) -> None:
        self._folder.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=self._folder, suffix=".part")
        os.close(handle)
        partial = Path(name)
        try:
            self._store.download(Location.parse(artifact.uri), partial)
            partial.replace(path)
        except KeyError:
            raise WeightsNotStaged(f"{artifact.uri} is named by a manifest and missing") from None
        finally:
            partial.unlink(missing_ok=True)


def sha256_of(path: Path) -> str:
    """Hexadecimal SHA-256 of a file."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()

"""Staged weights to verified files on this machine, once per process."""

import errno
import hashlib
import os
import shutil
import tempfile
from pathlib import Path
from typing import Final, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from pipeline.artifacts import Artifact, ArtifactStore, Location
from pipeline.errors import OutOfStorage, WeightsMismatch, WeightsNotStaged
from pipeline.manifest import Digest, ModelRow, WeightsFile

_CHUNK_BYTES: Final = 2**20


class StagedFile(BaseModel):
    """A file as it was staged: what the publisher states, where it came from, what we hold.

    The artifact's SHA-256 is ours, and pins the file where the publisher states an MD5 only.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    digest: Digest
    source: str
    artifact: Artifact


class StagedWeights(BaseModel):
    """`models/<name>/<revision>/manifest.json`: written last, so whoever sees it sees it all."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    model: str
    licence: str
    files: tuple[StagedFile, ...] = Field(min_length=1)

    @classmethod
    def parse(cls, content: bytes, *, uri: str) -> Self:
        """The manifest that was read from `uri`; WeightsMismatch if it is none."""
        try:
            return cls.model_validate_json(content)
        except ValidationError as error:
            raise WeightsMismatch(f"{uri} is no manifest of staged weights") from error


class LocalWeights:
    """Verified copies of staged files under one folder, shared by the warm calls of a process.

    A file is trusted when this process has hashed it: another process may have left it damaged.
    """

    def __init__(self, store: ArtifactStore, folder: Path) -> None:
        self._store = store
        self._folder = folder
        self._verified: dict[Location, tuple[tuple[Path, str], ...]] = {}

    def files(self, manifest: Location, row: ModelRow) -> tuple[tuple[Path, str], ...]:
        """(path, sha256) of every file of `row`; WeightsNotStaged or WeightsMismatch if not."""
        if manifest not in self._verified:
            staged = {file.name: file.artifact for file in self._read_manifest(manifest).files}
            if set(staged) != {file.name for file in row.files}:
                raise WeightsMismatch(f"{manifest.uri} does not list the files of {row.name}")
            self._verified[manifest] = tuple(
                self._fetch(file, staged[file.name]) for file in row.files
            )
        return self._verified[manifest]

    def _read_manifest(self, manifest: Location) -> StagedWeights:
        try:
            content = self._store.read(manifest)
        except KeyError:
            raise WeightsNotStaged(f"there is no {manifest.uri}") from None
        return StagedWeights.parse(content, uri=manifest.uri)

    def _fetch(self, file: WeightsFile, artifact: Artifact) -> tuple[Path, str]:
        """A local copy whose bytes are the staged ones and the catalogue's."""
        path = self._folder / f"{artifact.sha256}-{file.name}"
        if not path.exists() or checksums(path)["sha256"] != artifact.sha256:
            self._download(artifact, path)
        actual = checksums(path)
        algorithm, _, published = file.digest.partition(":")
        if (actual["sha256"], actual[algorithm]) != (artifact.sha256, published):
            path.unlink()
            raise WeightsMismatch(
                f"{artifact.uri} hashes to {actual['sha256']}; its manifest says "
                f"{artifact.sha256}, the catalogue {file.digest}"
            )
        return path, artifact.sha256

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
        except OSError as error:
            if error.errno != errno.ENOSPC:
                raise
            free = shutil.disk_usage(self._folder).free
            raise OutOfStorage(
                f"{path.name} needs {artifact.bytes:,} bytes of disk; {free:,} are free"
            ) from error
        finally:
            partial.unlink(missing_ok=True)


def checksums(path: Path) -> dict[str, str]:
    """Hexadecimal MD5 and SHA-256 of a file, in one reading: publishers state either."""
    running = {"md5": hashlib.md5(usedforsecurity=False), "sha256": hashlib.sha256()}
    with path.open("rb") as stream:
        while chunk := stream.read(_CHUNK_BYTES):
            for digest in running.values():
                digest.update(chunk)
    return {algorithm: digest.hexdigest() for algorithm, digest in running.items()}

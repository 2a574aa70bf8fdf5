"""Staged weights to verified files on this machine, once per process."""

import errno
import hashlib
import os
import shutil
import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import Final, NamedTuple

from pipeline.artifacts import Artifact, ArtifactStore, Location
from pipeline.declared.models import ModelRow, WeightsFile
from pipeline.errors import OutOfStorage, WeightsMismatch, WeightsNotStaged
from pipeline.weights.staged import (
    CarriedState,
    CutNetwork,
    Memory,
    NamedArtifact,
    OptimisedNetwork,
    Runtime,
    StagedFile,
    StagedWeights,
    StreamNetwork,
)

_CHUNK_BYTES: Final = 2**20


class LocalFile(NamedTuple):
    """A verified file. `sha256` is the published one's, also of a network made of it.

    `loaded_sha256` tells apart what answers in its place: it is of all that is loaded.
    `optimised` networks are laid out for this CPU and are to be loaded as they are; `remark` says
    which network this is, and why if it is not the best one. `memory` is as it was staged.
    """

    path: Path
    sha256: str
    loaded_sha256: str
    optimised: bool
    remark: str
    memory: Memory = "returned"


class LocalStream(NamedTuple):
    """A verified streaming network and its states. `sha256` is the published network's."""

    path: Path
    sha256: str
    states: tuple[CarriedState, ...]


class LocalWeights:
    """Verified copies of staged files under one folder, shared by the warm calls of a process.

    A file is trusted when this process has hashed it: another process may have left it damaged.
    """

    def __init__(self, store: ArtifactStore, folder: Path) -> None:
        self._store = store
        self._folder = folder
        self._verified: dict[Location, tuple[LocalFile, ...]] = {}
        self._cut: dict[Location, Path] = {}
        self._streams: dict[Location, tuple[LocalStream, ...]] = {}

    def files(
        self, manifest: Location, row: ModelRow, runtime: Runtime | None = None
    ) -> tuple[LocalFile, ...]:
        """Every file of `row`, optimised where it was made for `runtime`, with its data beside it.

        WeightsNotStaged or WeightsMismatch if not.
        """
        if manifest not in self._verified:
            staged = {file.name: file for file in self._read_manifest(manifest).files}
            if set(staged) != {file.name for file in row.files}:
                raise WeightsMismatch(f"{manifest.uri} does not list the files of {row.name}")
            self._verified[manifest] = tuple(
                self._best(file, staged[file.name], runtime) for file in row.files
            )
        return self._verified[manifest]

    def folder(self, manifest: Location, row: ModelRow) -> Path:
        """A folder with every file of `row` under its own name, for libraries that load folders.

        WeightsNotStaged or WeightsMismatch if not.
        """
        files = self.files(manifest, row)
        folder = self._folder / combined_sha256(file.loaded_sha256 for file in files)
        folder.mkdir(parents=True, exist_ok=True)
        for declared, file in zip(row.files, files, strict=True):
            partial = folder / f".{declared.name}.{os.getpid()}"
            partial.unlink(missing_ok=True)
            partial.symlink_to(file.path.absolute())
            partial.replace(folder / declared.name)
        return folder

    def cut(self, manifest: Location, row: ModelRow) -> Path:
        """The cut network of the row's one file that is cut, without the row's other files.

        WeightsNotStaged if the row was staged before its network was cut, WeightsMismatch if it
        could not be, or was made of other weights.
        """
        if manifest not in self._cut:
            (name,) = (
                file.name
                for file, role in zip(row.files, row.engine.files, strict=True)
                if role.cut
            )
            digests = {file.name: file.digest for file in row.files}
            staged = {file.name: file for file in self._read_manifest(manifest).files}
            if name not in staged:
                raise WeightsMismatch(f"{manifest.uri} does not list the files of {row.name}")
            self._cut[manifest] = self._cut_of(staged[name], digests[name], manifest)
        return self._cut[manifest]

    def _cut_of(self, staged: StagedFile, digest: str | None, manifest: Location) -> Path:
        made = staged.cut
        if made is None and staged.not_cut is None:
            raise WeightsNotStaged(f"{manifest.uri} is of a time when {staged.name} was not cut")
        if made is None:
            raise WeightsMismatch(f"{staged.name} could not be cut: {staged.not_cut}")
        _require_proven(made, staged, digest)
        return self._copy(made.file, made.file.artifact.sha256)

    def streams(self, manifest: Location, row: ModelRow) -> tuple[LocalStream, ...]:
        """The streaming network of every file of a row whose engine streams them all.

        WeightsNotStaged if the row was staged before its networks were streamed, WeightsMismatch if
        one could not be, or was made of other weights.
        """
        if manifest not in self._streams:
            staged = {file.name: file for file in self._read_manifest(manifest).files}
            if set(staged) != {file.name for file in row.files}:
                raise WeightsMismatch(f"{manifest.uri} does not list the files of {row.name}")
            self._streams[manifest] = tuple(
                self._stream_of(staged[file.name], file.digest, manifest) for file in row.files
            )
        return self._streams[manifest]

    def _stream_of(self, staged: StagedFile, digest: str | None, manifest: Location) -> LocalStream:
        made = staged.stream
        if made is None and staged.not_streamed is None:
            raise WeightsNotStaged(f"{manifest.uri} has no streaming form of {staged.name}")
        if made is None:
            raise WeightsMismatch(f"{staged.name} could not be streamed: {staged.not_streamed}")
        _require_proven(made, staged, digest)
        path = self._copy(made.file, made.file.artifact.sha256)
        return LocalStream(path, made.source_sha256, made.states)

    def _read_manifest(self, manifest: Location) -> StagedWeights:
        try:
            content = self._store.read(manifest)
        except KeyError:
            raise WeightsNotStaged(f"there is no {manifest.uri}") from None
        return StagedWeights.parse(content, uri=manifest.uri)

    def _best(self, file: WeightsFile, staged: StagedFile, runtime: Runtime | None) -> LocalFile:
        """The best network for this runtime; the published file if there is none.

        The network that a published file was converted to takes its place.
        """
        if file.convert:
            _require_converted(file, staged)
        network = staged.best(file.digest, runtime)
        why = staged.why_not_best(file.digest, runtime)
        if network is None and staged.converted:
            made = staged.converted.file
            path, sha256 = self._copy(made, made.artifact.sha256), staged.artifact.sha256
            loaded = made.artifact.sha256
            return LocalFile(path, sha256, loaded, optimised=False, remark=f"converted: {why}")
        if network is None:
            path = self._published(file, staged.artifact)
            remark = f"published: {why}"
            sha256 = staged.artifact.sha256
            return LocalFile(path, sha256, sha256, optimised=False, remark=remark)
        path, *_ = (self._optimised(each, network) for each in network.files)
        optimised = network.runtime.cpu is not None
        remark = "optimised" if optimised else f"rewritten: {why}"
        loaded = combined_sha256(each.artifact.sha256 for each in network.files)
        sha256 = staged.artifact.sha256
        return LocalFile(path, sha256, loaded, optimised, remark, network.memory)

    def _optimised(self, file: NamedArtifact, network: OptimisedNetwork) -> Path:
        """A local copy, in a folder of its own: a network finds its data by name, beside it."""
        return self._copy(file, network.files[0].artifact.sha256)

    def _copy(self, file: NamedArtifact, folder: str) -> Path:
        path = self._folder / folder / file.name
        if self._downloaded(file.artifact, path)["sha256"] != file.artifact.sha256:
            path.unlink()
            raise WeightsMismatch(f"{file.artifact.uri} is not what its manifest says")
        return path

    def _published(self, file: WeightsFile, artifact: Artifact) -> Path:
        """A local copy whose bytes are the staged ones, and the catalogue's if it has a digest."""
        path = self._folder / f"{artifact.sha256}-{file.name}"
        actual = self._downloaded(artifact, path)
        if actual["sha256"] != artifact.sha256 or file.refuses(actual):
            path.unlink()
            raise WeightsMismatch(
                f"{artifact.uri} hashes to {actual['sha256']}; its manifest says "
                f"{artifact.sha256}, the catalogue {file.digest or 'none'}"
            )
        return path

    def _downloaded(self, artifact: Artifact, path: Path) -> dict[str, str]:
        """The checksums of a local copy, downloaded again if there is none or another."""
        if path.exists():
            actual = checksums(path)
            if actual["sha256"] == artifact.sha256:
                return actual
        path.parent.mkdir(parents=True, exist_ok=True)
        self._download(artifact, path)
        return checksums(path)

    def _download(self, artifact: Artifact, path: Path) -> None:
        handle, name = tempfile.mkstemp(dir=path.parent, suffix=".part")
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


def _require_proven(
    made: CutNetwork | StreamNetwork, staged: StagedFile, digest: str | None
) -> None:
    """Raise WeightsMismatch unless a network was made of the published one, and equals it."""
    if staged.digest != digest or made.source_sha256 != staged.network.artifact.sha256:
        raise WeightsMismatch(f"{made.file.artifact.uri} was made of other weights")
    if not made.proof.holds("float32"):
        raise WeightsMismatch(f"{made.file.artifact.uri} has a proof that does not hold")


def _require_converted(file: WeightsFile, staged: StagedFile) -> None:
    """Raise WeightsNotStaged or WeightsMismatch unless the catalogue's file was converted."""
    made = staged.converted
    if made is None or made.converter != file.convert:
        raise WeightsNotStaged(f"{file.name} was staged without the network that is made of it")
    stated = {"sha256": staged.artifact.sha256}
    other = file.stated is not None and file.stated[0] in stated and file.refuses(stated)
    described = staged.manifest.artifact.sha256 if staged.manifest else None
    same = (made.source_sha256, made.manifest_sha256) == (staged.artifact.sha256, described)
    if staged.digest != file.digest or other or not same:
        raise WeightsMismatch(f"{made.file.artifact.uri} was made of other weights")


def combined_sha256(each: Iterable[str]) -> str:
    """One checksum of several files in their order, made of each one's."""
    return hashlib.sha256("\n".join(each).encode()).hexdigest()


def checksums(path: Path) -> dict[str, str]:
    """Hexadecimal MD5 and SHA-256 of a file, in one reading: publishers state either."""
    running = {"md5": hashlib.md5(usedforsecurity=False), "sha256": hashlib.sha256()}
    with path.open("rb") as stream:
        while chunk := stream.read(_CHUNK_BYTES):
            for digest in running.values():
                digest.update(chunk)
    return {algorithm: digest.hexdigest() for algorithm, digest in running.items()}

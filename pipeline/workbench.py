"""What a task works with: settings, the artifact store, and a stopwatch for each call."""

from __future__ import annotations

import hashlib
import math
import os
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, TypeVar, TypeVarTuple

from pipeline import hardware
from pipeline.artifacts import (
    ArtifactStore,
    CustomerKeyRequired,
    Location,
    ObjectArchived,
    ObjectChanged,
    Stat,
)
from pipeline.contracts.contract import Source, option_texts
from pipeline.declared.costs import MB_PER_CPU
from pipeline.declared.declaration import MOST_MEMORY_MB
from pipeline.errors import SourceArchived, SourceChanged, SourceForbidden, SourceMissing

T = TypeVar("T")
Of = TypeVarTuple("Of")

_LAMBDA: Final = "AWS_LAMBDA_INITIALIZATION_TYPE"  # set by Lambda, and by nothing else
_MEMORY: Final = "AWS_LAMBDA_FUNCTION_MEMORY_SIZE"


@dataclass(frozen=True)
class Settings:
    """What a deployment tells a container, all optional.

    Variables: MATTELINE_CATALOGUE (extra catalogue files, path-separated),
    MATTELINE_WEIGHTS_MIRROR (folder or URL tried before a model's own sources),
    MATTELINE_ACCEPTED_LICENCES (non-commercial licences agreed to, by name, with spaces between),
    MATTELINE_SCRATCH (the one writable folder), MATTELINE_IMAGE_DIGEST, MATTELINE_KEPT (folder with
    what this machine staged before, trusted as the models bucket is), MATTELINE_PACKAGES (folder
    with what this machine took from packages; a function has no package client), MATTELINE_THREADS
    (how many threads a call has outside Lambda: one per core if unset); and Lambda's own
    AWS_LAMBDA_FUNCTION_MEMORY_SIZE. `environment` has all variables, for what one container reads.
    """

    catalogue_overlays: tuple[Path, ...] = ()
    weights_mirror: str | None = None
    accepted_licences: tuple[str, ...] = ()
    scratch: Path = Path("/tmp")  # noqa: S108 - Lambda's only writable folder
    image_digest: str = "none"
    environment: Mapping[str, str] = field(default_factory=dict)
    kept: Path | None = None
    packages: Path | None = None
    memory_mb: int = MOST_MEMORY_MB
    threads: int = field(default_factory=hardware.cores)

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> Settings:
        overlays = environment.get("MATTELINE_CATALOGUE", "")
        return cls(
            catalogue_overlays=tuple(Path(path) for path in overlays.split(os.pathsep) if path),
            weights_mirror=environment.get("MATTELINE_WEIGHTS_MIRROR") or None,
            accepted_licences=tuple(environment.get("MATTELINE_ACCEPTED_LICENCES", "").split()),
            scratch=Path(environment.get("MATTELINE_SCRATCH", cls.scratch)),
            image_digest=environment.get("MATTELINE_IMAGE_DIGEST", cls.image_digest),
            environment=dict(environment),
            kept=_folder(environment, "MATTELINE_KEPT"),
            packages=_folder(environment, "MATTELINE_PACKAGES"),
            memory_mb=int(environment.get(_MEMORY, cls.memory_mb)),
            threads=_threads(environment),
        )

    def threads_with(self, memory_mb: int) -> int:
        """Return the threads of another function, deployed as this one is, with this memory."""
        if _LAMBDA not in self.environment:
            return self.threads
        return _threads({**self.environment, _MEMORY: str(memory_mb)})


class Workbench:
    """What outlives one call of a warm container: settings, store, and what tasks load once."""

    def __init__(self, *, root: Path, settings: Settings, store: ArtifactStore) -> None:
        self.root = root
        self.settings = settings
        self.store = store
        self._loaded: dict[tuple[object, ...], Any] = {}

    def once(self, load: Callable[[Workbench, *Of], T], *of: *Of) -> T:
        """Return `load(self, *of)`, which the first call makes and all later calls share."""
        if (load, *of) not in self._loaded:
            self._loaded[load, *of] = load(self, *of)
        loaded: T = self._loaded[load, *of]
        return loaded


@dataclass(frozen=True)
class TaskContext:
    """One call's way to the workbench, and its stopwatch.

    `ends_at` is the reading of `time.monotonic` at which a timeout kills the call, the
    function's or the job's.
    """

    bench: Workbench
    timings: dict[str, float] = field(default_factory=dict)
    notes: dict[str, str] = field(default_factory=dict)
    ends_at: float = math.inf

    @property
    def settings(self) -> Settings:
        return self.bench.settings

    @property
    def store(self) -> ArtifactStore:
        return self.bench.store

    def reserve(self, wanted: int) -> None:
        """OutOfMemory if the function has not `wanted` bytes left beside what it holds."""
        hardware.require_free(wanted, limit_mb=self.settings.memory_mb)

    def note(self, **facts: str) -> None:
        """Put facts that are not figures in the call's log lines."""
        self.notes.update(facts)

    @contextmanager
    def timed(self, stage: str) -> Iterator[None]:
        """Add the time spent inside to the result's metrics as `<stage>_ms`."""
        started = time.perf_counter()
        yield
        self.timings[f"{stage}_ms"] = ms_since(started)


def read_source(store: ArtifactStore, source: Source) -> bytes:
    """Return the inspected bytes. Raises an error of a Source… name if they cannot be read."""
    uri = source.location.uri
    with named_source_errors(
        source.location, missing=f"{uri} was deleted while its execution was running"
    ):
        content = store.read(source.location)
    if hashlib.sha256(content).hexdigest() != source.sha256:
        raise SourceChanged(f"{uri} was replaced while its execution was running")
    return content


@contextmanager
def named_source_errors(location: Location, *, missing: str) -> Iterator[None]:
    """Raise an error of a Source… name for what the store says of an uploaded object."""
    try:
        yield
    except KeyError:
        raise SourceMissing(missing) from None
    except ObjectChanged:
        raise SourceChanged(
            f"{location.uri} was replaced while its execution was running"
        ) from None
    except ObjectArchived as error:
        raise SourceArchived(str(error)) from error
    except CustomerKeyRequired as error:
        raise SourceForbidden(
            f"{location.uri} is encrypted with a customer-provided key (SSE-C)"
        ) from error


def require_latest(store: ArtifactStore, source: Source) -> None:
    """Raise SourceMissing or SourceChanged unless the key still holds what was inspected.

    The same bytes uploaded again with the same options are the same job: its other execution is a
    duplicate that relies on this one.
    """
    key = source.location._replace(version_id=None)
    with named_source_errors(
        source.location, missing=f"{key.uri} was deleted before its result was published"
    ):
        latest = store.stat(key)
        known = (latest.version_id, latest.etag) == (source.version_id, source.etag)
        current = known or _is_copy(
            store, source, latest, key._replace(version_id=latest.version_id)
        )
    if not current:
        raise SourceChanged(f"{key.uri} was replaced before its result was published")


def _is_copy(store: ArtifactStore, source: Source, latest: Stat, place: Location) -> bool:
    """Compare options and bytes, because an ETag depends on encryption and on upload parts."""
    own = store.stat(source.location)
    if dict(option_texts(latest.metadata)) != dict(option_texts(own.metadata)):
        return False
    digest = hashlib.sha256()
    for chunk in store.stream(place):
        digest.update(chunk)
    return digest.hexdigest() == source.sha256


def ms_since(started: float) -> float:
    """Milliseconds since a `time.perf_counter` reading."""
    return round((time.perf_counter() - started) * 1000, 3)


def _folder(environment: Mapping[str, str], name: str) -> Path | None:
    return Path(environment[name]) if environment.get(name) else None


def _threads(environment: Mapping[str, str]) -> int:
    """Return as many threads as there are CPUs for a call; on Lambda, memory buys them.

    A function may see more cores than its memory has bought.
    """
    if _LAMBDA in environment:
        return max(1, round(int(environment[_MEMORY]) / MB_PER_CPU))
    return int(environment.get("MATTELINE_THREADS") or hardware.cores())

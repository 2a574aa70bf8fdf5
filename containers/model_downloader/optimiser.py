"""Optimise a network in a separate process, and publish what matches beside the original."""

from __future__ import annotations

import hashlib
import math
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, NamedTuple

from containers.model_downloader.kept import kept_file, kept_path
from containers.model_downloader.optimisation.order import EDITION, Lean, Order
from containers.model_downloader.sessions.choosing import Place, choose_session
from pipeline import hardware
from pipeline.artifacts import ArtifactStore, Location
from pipeline.declared.engines import EngineFile, FilledInput, Table
from pipeline.declared.models import ModelRow
from pipeline.weights.staged import NamedArtifact, OptimisedNetwork, Runtime, SessionSettings

LEAST_BYTES: Final = 2**20
_ROOT: Final = Path(__file__).parents[2]
_RESERVED_MB: Final = 512  # for this process, which waits
_SHARE_OF_MACHINE: Final = 0.8
KEY_DIGITS: Final = 12


class Outcome(NamedTuple):
    """Published optimised networks, best first, or the reason why there are none."""

    optimised: tuple[OptimisedNetwork, ...] = ()
    not_optimised: str | None = None
    not_quantised: str | None = None


@dataclass(frozen=True)
class Optimiser:
    """An optimiser of networks, limited to the function's `memory_mb` and `seconds_left`.

    `kept` is a folder with what this machine staged before, or None. `threads` is how many a
    function of the row has.
    """

    store: ArtifactStore
    memory_mb: int
    seconds_left: Callable[[], float]
    kept: Path | None = None
    threads: int = field(default_factory=hardware.cores)

    @property
    def allowed_mb(self) -> int:
        """Return the most memory that one piece of work may take."""
        return _allowed_mb(self.memory_mb)

    def optimise(
        self, path: Path, name: str, row: ModelRow, place: Callable[[str], Location]
    ) -> Outcome:
        """Publish the optimised network of the row's file `name` at `place`, or say why not.

        The network as published, or as converted, is at `path`. A missing one is no failure: the
        network works too, with more memory and time.
        """
        if path.suffix != ".onnx":
            return Outcome()
        if path.stat().st_size < LEAST_BYTES:
            return Outcome(not_optimised="the file is too small to benefit")
        return self._published_again(path, name, row, place) or self._made(path, name, row, place)

    def _published_again(
        self, path: Path, name: str, row: ModelRow, place: Callable[[str], Location]
    ) -> Outcome | None:
        """Publish networks that this machine made earlier; None if there are none to reuse."""
        import onnxruntime as ort

        here = Runtime.here(onnxruntime=ort.__version__)
        if self.kept is None or here is None:
            return None
        file = kept_file(self.kept, row, name, path, here)
        if file is None:
            return None
        again = tuple(self._once_more(network, self.kept, place) for network in file.optimised)
        return Outcome(again, None, file.not_quantised)

    def _once_more(
        self, network: OptimisedNetwork, kept: Path, place: Callable[[str], Location]
    ) -> OptimisedNetwork:
        """Publish a cached network under its recorded checksums; damaged files fail on loading."""
        copies = ((kept_path(kept, each.artifact.uri), each.artifact) for each in network.files)
        files = tuple(self._uploaded(path, place, sha256=one.sha256) for path, one in copies)
        return network.model_copy(update={"files": files})

    def _made(
        self, path: Path, name: str, row: ModelRow, place: Callable[[str], Location]
    ) -> Outcome:
        with tempfile.TemporaryDirectory(dir=path.parent, prefix="lean-") as folder:
            order = self._order(path, row.role(name), row, Path(folder))
            try:
                lean = make_lean_apart(order, seconds=self.seconds_left())
            except subprocess.TimeoutExpired:
                return Outcome(not_optimised="optimising ran out of time")
            except subprocess.CalledProcessError as died:
                return Outcome(not_optimised=f"optimising failed: {_last_words(died)}")
            session = self._session(lean, order, row) if lean.networks else None
            return self._publish(lean, session, path, place)

    def _order(self, path: Path, role: EngineFile, row: ModelRow, folder: Path) -> Order:
        return Order(
            network=path,
            folder=folder,
            shape=_input_shape(role, row.table),
            sound_hz=_sound_hz(role),
            activation=role.outputs[0].activation_of(row.table) if role.outputs else "none",
            outputs=len(role.outputs),
            quantise=row.quantise is not None,
            memory_mb=self.allowed_mb,
        )

    def _session(self, lean: Lean, order: Order, row: ModelRow) -> SessionSettings:
        """Return how the row's function is to open all forms of the network."""
        best, *_ = lean.networks
        if best.tiled:
            return SessionSettings(memory="mapped", threads=self.threads)
        if order.sound_hz is not None:  # sounds differ in length, so what is kept would grow
            return SessionSettings(memory="returned", threads=self.threads)
        here = Place(row.memory_mb, self.threads, order.memory_mb)
        return choose_session(
            best.files[0], order.shape, here, run_ms=best.run_ms, seconds=self.seconds_left()
        )

    def _publish(
        self,
        lean: Lean,
        session: SessionSettings | None,
        path: Path,
        place: Callable[[str], Location],
    ) -> Outcome:
        here = Runtime.here(onnxruntime=lean.onnxruntime)
        if here is None:
            return Outcome(not_optimised="unknown kind of CPU")
        source_sha256 = _sha256(path)
        published = tuple(
            OptimisedNetwork(
                source_sha256=source_sha256,
                runtime=here.model_copy(update={"cpu": None}) if network.any_cpu else here,
                precision=network.precision,
                rewrites=network.rewrites,
                edition=EDITION,
                proof=network.proof,
                session=session,
                files=tuple(
                    self._uploaded(file, place, sha256=_sha256(file)) for file in network.files
                ),
            )
            for network in lean.networks
        )
        return Outcome(published, lean.refused, lean.not_quantised)

    def _uploaded(
        self, file: Path, place: Callable[[str], Location], *, sha256: str
    ) -> NamedArtifact:
        """Upload the file under a key with its checksum, so that no earlier file is replaced."""
        at = place(f"{sha256[:KEY_DIGITS]}/{file.name}")
        return NamedArtifact(name=file.name, artifact=self.store.upload(file, at, sha256=sha256))


def make_lean_apart(order: Order, *, seconds: float) -> Lean:
    """Carry out an order in a new process. Raises TimeoutExpired or CalledProcessError."""
    module = "containers.model_downloader.optimisation"
    command = [sys.executable, "-m", module, order.model_dump_json()]
    ours, alive = os.pipe()
    try:
        process = subprocess.run(  # noqa: S603 - our own interpreter and module
            command, cwd=_ROOT, stdin=ours, capture_output=True, check=True,
            timeout=None if seconds == math.inf else max(seconds, 0),
        )  # fmt: skip
    finally:
        os.close(ours)
        os.close(alive)
    return Lean.model_validate_json(process.stdout)


def _input_shape(role: EngineFile, table: Table) -> tuple[int, ...]:
    """Return the shape of the network's first input; empty if another network makes it."""
    first = next(iter(role.inputs), None)
    return first.sizes(table) if isinstance(first, FilledInput) else ()


def _sound_hz(role: EngineFile) -> int | None:
    first = next(iter(role.inputs), None)
    return first.sound_hz if isinstance(first, FilledInput) else None


def _allowed_mb(function_mb: int) -> int:
    """Return the memory limit: the function's memory, but never most of the machine's."""
    machine_mb = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") / 2**20
    return max(1, int(min(function_mb - _RESERVED_MB, machine_mb * _SHARE_OF_MACHINE)))


def _last_words(died: subprocess.CalledProcessError) -> str:
    lines: list[str] = died.stderr.decode(errors="replace").strip().splitlines()
    return lines[-1] if lines and died.returncode > 0 else f"exit code {died.returncode}"


def _sha256(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()

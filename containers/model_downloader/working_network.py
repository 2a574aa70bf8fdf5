"""Check that a row's networks load, run and return what its engine declares."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np

from containers.model_downloader.networks import (
    Array,
    Shape,
    Sizes,
    fits,
    named_failures,
    open_quietly,
)
from pipeline.declared.engines import ChainedInput, EngineFile, FilledInput, Table
from pipeline.declared.models import ModelRow
from pipeline.errors import WeightsMismatch
from pipeline.weights.staged import PassedTrial, Runtime

if TYPE_CHECKING:
    import onnxruntime as ort

    from containers.model_downloader.optimisation.in_parts import InParts


Answers = Mapping[str, Sequence[Array]]  # the declared outputs of networks, by role
EDITION: Final = 1  # of the checks below; a network that passed others is tried again

_LARGE_FILE_BYTES: Final = 2**28


def require_working_network(
    row: ModelRow, paths: Sequence[Path], memory_mb: int | None = None
) -> Answers:
    """Load the row's networks in order, and run each once on inputs its engine declares.

    A network that takes more than `memory_mb` runs in parts.

    Returns the declared outputs of each, by its role. Raises WeightsMismatch if one rejects them or
    returns anything but finite numbers of the declared shapes, and OutOfMemory if it does not fit.
    """
    answers: dict[str, Sequence[Array]] = {}
    for file, path in zip(row.engine.files, paths, strict=True):
        if file.inputs:
            answers[file.role] = Trial(path, file, row.table, memory_mb).run(answers)
    return answers


def passed_trial(row: ModelRow) -> PassedTrial | None:
    """Return what `require_working_network` shows if it passes here; None on an unknown CPU."""
    import onnxruntime as ort  # noqa: PLC0415 - it loads only if a network is staged

    here = Runtime.here(onnxruntime=ort.__version__)
    names = [file.name for file in row.files]
    declared = json.dumps([EDITION, row.engine.model_dump(mode="json"), dict(row.table), names])
    digest = hashlib.sha256(declared.encode()).hexdigest()
    return PassedTrial(runtime=here, declared_sha256=digest) if here else None


@dataclass(frozen=True)
class Trial:
    """A trial run of one network of a row, checked against its engine's declaration."""

    path: Path
    file: EngineFile
    table: Table
    memory_mb: int | None = None

    def run(self, earlier: Answers) -> Sequence[Array]:
        """Return the network's declared outputs; `earlier` has those of earlier networks."""
        session, outputs = open_quietly(self.path), self.file.outputs
        feed = self.feed(session, earlier)
        self._require_declared(session)
        names = [value.name for value in session.get_outputs()[: len(outputs)]]
        parts = self._parts()
        with named_failures(self.path, "does not run"):
            if parts is None:
                answers: list[Array] = session.run(names, feed)
            else:
                del session  # parts load the weights again
                answers = [parts.run(feed)]
        sizes = Sizes()
        for output, answer in zip(outputs, answers, strict=True):
            self._require("returns", answer.shape, output.sizes(self.table), sizes)
            if not np.isfinite(answer).all():
                raise WeightsMismatch(
                    f"{self.path.name} returned NaN or infinity for its trial input"
                )
        return answers

    def _parts(self) -> InParts | None:
        """Return the network in parts if it is too large to run as a whole."""
        if self.memory_mb is None or self.path.stat().st_size < _LARGE_FILE_BYTES:
            return None
        if len(self.file.outputs) != 1:
            return None
        # onnx loads only for a large network.
        from containers.model_downloader.optimisation.in_parts import InParts  # noqa: PLC0415

        parts = InParts.of(self.path, self.memory_mb * 2**20)
        return None if parts.fits else parts

    def feed(self, session: ort.InferenceSession, earlier: Answers) -> dict[str, Array]:
        """Return every declared input under the network's own name for it."""
        taken = {value.name: value.shape for value in session.get_inputs()}
        named = {one.name: one for one in self.file.inputs if one.name is not None}
        if named and named.keys() != taken.keys():
            raise WeightsMismatch(
                f"{self.path.name} takes {', '.join(sorted(taken))}; its row declares "
                f"{', '.join(sorted(named))} for a {self.file.role}"
            )
        feed: dict[str, Array] = {}
        # If inputs are missing, onnxruntime names them.
        for name, one in (named or dict(zip(taken, self.file.inputs, strict=False))).items():
            if isinstance(one, ChainedInput):
                feed[name] = earlier[one.output_of][one.output]
            else:
                feed[name] = filled(one, self.table)
                self._require("takes", taken[name], feed[name].shape, Sizes())
        return feed

    def _require_declared(self, session: ort.InferenceSession) -> None:
        """Check the shapes that the file itself declares, before a run that may take long."""
        given, sizes = session.get_outputs(), Sizes()
        if len(given) < len(self.file.outputs):
            raise WeightsMismatch(
                f"{self.path.name} has outputs: {len(given)}; its row declares "
                f"{len(self.file.outputs)} for a {self.file.role}"
            )
        for output, value in zip(self.file.outputs, given, strict=False):
            if value.shape:  # onnxruntime gives [] for an unknown shape
                self._require("has the output", value.shape, output.sizes(self.table), sizes)

    def _require(self, does: str, actual: Shape, wanted: Sequence[int | str], sizes: Sizes) -> None:
        if not fits(actual, wanted, sizes):
            known = [sizes.get(str(axis), axis) for axis in wanted]
            raise WeightsMismatch(
                f"{self.path.name} {does} {_written(actual)}; its row declares {_written(known)}"
            )


def filled(one: FilledInput, table: Table) -> Array:
    """Return the array that staging uses for an input of a row with this table."""
    array: Array = np.empty(one.sizes(table), one.dtype)
    array[...] = one.values(table)
    return array


def _written(shape: Shape) -> str:
    return f"[{', '.join(str(axis) for axis in shape)}]"

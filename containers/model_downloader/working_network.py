"""Check that a row's networks load, run, and answer as its engine declares, before publication."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

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

if TYPE_CHECKING:
    import onnxruntime as ort


def require_working_network(row: ModelRow, paths: Sequence[Path]) -> None:
    """Load the row's networks, in its order, and run each once on the inputs its engine declares.

    WeightsMismatch if one does not take them or answers with something else than finite numbers of
    the declared shapes, OutOfMemory if it does not fit.
    """
    first_outputs: dict[str, Array] = {}
    for file, path in zip(row.engine.files, paths, strict=True):
        if file.inputs:
            first_outputs[file.role] = Trial(path, file, row.table).run(first_outputs)


@dataclass(frozen=True)
class Trial:
    """One network of a row with this table, held against what its engine says of the file."""

    path: Path
    file: EngineFile
    table: Table

    def run(self, earlier: Mapping[str, Array]) -> Array:
        """The network's first output; `earlier` has those of the networks before it, by role."""
        session, outputs = open_quietly(self.path), self.file.outputs
        feed = self._feed(session, earlier)
        self._require_declared(session)
        names = [value.name for value in session.get_outputs()[: len(outputs)]]
        with named_failures(self.path, "does not run"):
            answers: list[Array] = session.run(names, feed)
        sizes = Sizes()
        for output, answer in zip(outputs, answers, strict=True):
            self._require("answers", answer.shape, output.sizes(self.table), sizes)
            if not np.isfinite(answer).all():
                raise WeightsMismatch(
                    f"{self.path.name} answered its trial input with NaN or infinity"
                )
        return answers[0]

    def _feed(
        self, session: ort.InferenceSession, earlier: Mapping[str, Array]
    ) -> dict[str, Array]:
        """Every declared input, by the network's own name for it."""
        taken = {value.name: value.shape for value in session.get_inputs()}
        named = {one.name: one for one in self.file.inputs if one.name is not None}
        if named and named.keys() != taken.keys():
            raise WeightsMismatch(
                f"{self.path.name} takes {', '.join(sorted(taken))}; its row says that a "
                f"{self.file.role} takes {', '.join(sorted(named))}"
            )
        feed: dict[str, Array] = {}
        # With fewer inputs than the network takes, onnxruntime says which is missing.
        for name, one in (named or dict(zip(taken, self.file.inputs, strict=False))).items():
            if isinstance(one, ChainedInput):
                feed[name] = earlier[one.output_of]
            else:
                feed[name] = filled(one, self.table)
                self._require("takes", taken[name], feed[name].shape, Sizes())
        return feed

    def _require_declared(self, session: ort.InferenceSession) -> None:
        """Compare the shapes that the file itself declares, before what may be a long run."""
        given, sizes = session.get_outputs(), Sizes()
        if len(given) < len(self.file.outputs):
            raise WeightsMismatch(
                f"{self.path.name} has outputs: {len(given)}; its row says that a "
                f"{self.file.role} has {len(self.file.outputs)}"
            )
        for output, value in zip(self.file.outputs, given, strict=False):
            if value.shape:  # [] is what onnxruntime says of an unknown shape
                self._require("gives", value.shape, output.sizes(self.table), sizes)

    def _require(self, does: str, actual: Shape, wanted: Sequence[int | str], sizes: Sizes) -> None:
        if not fits(actual, wanted, sizes):
            known = [sizes.get(str(axis), axis) for axis in wanted]
            raise WeightsMismatch(
                f"{self.path.name} {does} {_written(actual)}, its row says {_written(known)}"
            )


def filled(one: FilledInput, table: Table) -> Array:
    """The array that staging makes up for an input of a row with this table."""
    array: Array = np.empty(one.sizes(table), one.dtype)
    array[...] = one.values(table)
    return array


def _written(shape: Shape) -> str:
    return f"[{', '.join(str(axis) for axis in shape)}]"

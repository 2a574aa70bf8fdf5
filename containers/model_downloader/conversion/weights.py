"""Take a network's weights by name and shape; report tensors that are missing or left over."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Final

import numpy as np
import numpy.typing as npt

from containers.model_downloader.conversion.checkpoint import Array
from containers.model_downloader.conversion.pickled import NotConverted

Weight = npt.NDArray[np.float32]

_SHOWN: Final = 3


class Weights:
    """The tensors of a network, each of which must be taken."""

    def __init__(self, tensors: Mapping[str, Array]) -> None:
        self._tensors = tensors
        self._left = dict.fromkeys(tensors)

    def __contains__(self, name: str) -> bool:
        return name in self._tensors

    def take(self, name: str, *shape: int | None) -> Weight:
        """Return a tensor as float32. None in `shape` is an axis of any size, but not empty.

        Raises NotConverted if it is missing, of another shape or type, or not finite.
        """
        if name not in self._tensors:
            raise NotConverted(f"it has no tensor {name}")
        found = self._tensors[name]
        alike = found.ndim == len(shape) and found.size and all(
            expected in {None, size} for expected, size in zip(shape, found.shape, strict=True)
        )  # fmt: skip
        if not alike or found.dtype.kind != "f":
            wanted = "×".join("any" if size is None else str(size) for size in shape)
            raise NotConverted(f"its {name} is {found.dtype}{list(found.shape)}, not {wanted}")
        with np.errstate(over="ignore"):
            weight = found.astype(np.float32)
        if not np.isfinite(weight).all():
            raise NotConverted(f"its {name} has numbers that are not finite")
        self._left.pop(name, None)
        return weight

    def count(self, pattern: str) -> int:
        """Return how many of `pattern` with 0, 1, 2 … for `{}` there are in a row."""
        found = 0
        while pattern.format(found) in self:
            found += 1
        return found

    def require_all_taken(self, *, but: Collection[str] = ()) -> None:
        """Raise NotConverted if a tensor was not taken: it would change the answers."""
        left = sorted(self._left.keys() - set(but))
        if left:
            shown = ", ".join(name[:50] for name in left[:_SHOWN])
            raise NotConverted(f"it has tensors that the network lacks: {shown}")

"""Read the tensors of a PyTorch checkpoint with numpy alone. Nothing in it is executed.

It knows ordered dicts, tensors and storages of numbers. Every other object of a checkpoint, such
as its training configuration, becomes `INERT`.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, NamedTuple, TypeVar

import numpy as np
import numpy.typing as npt

from containers.model_downloader.conversion.files import Legacy, Storage, Zip, open_file
from containers.model_downloader.conversion.pickled import INERT, Meaning, Name, NotConverted

MOST_TENSORS: Final = 10_000
MOST_NUMBERS: Final = 2**28  # of all tensors that are read
MOST_BYTES: Final = 2**30  # of all storages that are read
_MOST_AXES: Final = 8
_KEY: Final = re.compile(r"\d{1,20}", re.ASCII)
_DTYPES: Final = {
    "torch DoubleStorage": "<f8", "torch FloatStorage": "<f4", "torch HalfStorage": "<f2",
    "torch LongStorage": "<i8", "torch IntStorage": "<i4", "torch ShortStorage": "<i2",
    "torch CharStorage": "<i1", "torch ByteStorage": "<u1", "torch BoolStorage": "?",
}  # fmt: skip
_DICT: Final = "collections OrderedDict"
_TENSOR: Final = "torch._utils _rebuild_tensor_v2"

Array = npt.NDArray[Any]
Kind = TypeVar("Kind")


class Tensor(NamedTuple):
    """A view into a storage: `offset` and `strides` count numbers."""

    storage: Storage
    offset: int
    shape: tuple[int, ...]
    strides: tuple[int, ...]

    @property
    def numbers(self) -> int:
        return math.prod(self.shape)


@contextmanager
def open_checkpoint(path: Path) -> Iterator[Checkpoint]:
    """Open a checkpoint, in PyTorch's zip format or the one before it.

    It raises NotConverted for a malformed file, also when tensors are read.
    """
    with open_file(path) as file:
        objects = _Objects()
        root = file.value(Meaning(objects.called, objects.persistent))
        yield Checkpoint(file, root, objects.storages)


@dataclass(frozen=True)
class Checkpoint:
    """The plain values of a checkpoint, and its tensors, which are read when asked for."""

    file: Zip | Legacy
    root: Any
    storages: Mapping[str, Storage]

    def value(self, kind: type[Kind], *keys: str) -> Kind:
        """Return the value under `keys`, which lead through nested dicts. It is of type `kind`."""
        value = self.root
        for key in keys:
            value = value.get(key) if isinstance(value, dict) else None
        if type(value) is not kind:
            raise NotConverted(f"its {'.'.join(keys)} is not of the type {kind.__name__}")
        found: Kind = value
        return found

    def tensors(self, *keys: str) -> dict[str, Array]:
        """Return the tensors of the dict under `keys`, by name."""
        named = self.value(dict, *keys)
        wanted = {name: each for name, each in named.items() if isinstance(each, Tensor)}
        if sum(each.numbers for each in wanted.values()) > MOST_NUMBERS:
            raise NotConverted(f"its tensors have more than {MOST_NUMBERS:,} numbers")
        needed = {each.storage.key: each.storage for each in wanted.values()}
        if sum(each.size for each in needed.values()) > MOST_BYTES:
            raise NotConverted(f"its storages have more than {MOST_BYTES:,} bytes")
        contents = {key: self._numbers(each) for key, each in needed.items()}
        return {name: _viewed(each, contents[each.storage.key]) for name, each in wanted.items()}

    def _numbers(self, storage: Storage) -> Array:
        return np.frombuffer(self.file.read(storage, self.storages), storage.dtype)


def _viewed(tensor: Tensor, numbers: Array) -> Array:
    steps = tuple(stride * numbers.itemsize for stride in tensor.strides)
    if not tensor.numbers:
        return np.empty(tensor.shape, numbers.dtype)
    start = numbers[tensor.offset :]
    return np.lib.stride_tricks.as_strided(start, tensor.shape, steps, writeable=False).copy()


@dataclass
class _Objects:
    """Makes the few objects that are known, and checks them."""

    storages: dict[str, Storage] = field(default_factory=dict)
    tensors: int = 0

    def called(self, name: str, arguments: tuple[Any, ...]) -> Any:  # noqa: ANN401 - any value
        if name == _DICT and not arguments:
            return {}
        if name == _TENSOR:
            return self._tensor(arguments)
        return INERT

    def persistent(self, identity: Any) -> Any:  # noqa: ANN401 - any value
        """Return the storage of ("storage", type, key, device, length), or INERT.

        The legacy format adds a view of the storage, which is None.
        """
        match identity:
            case ("storage", Name(kind), str(key), str(), int(length)):
                return self._storage(kind, key, length)
            case ("storage", Name(kind), str(key), str(), int(length), None):
                return self._storage(kind, key, length)
        raise NotConverted("it refers to what is no storage")

    def _storage(self, kind: str, key: str, length: int) -> Any:  # noqa: ANN401 - or INERT
        if kind not in _DTYPES:
            return INERT
        if not _KEY.fullmatch(key) or not 0 <= length <= MOST_BYTES:
            raise NotConverted(f"its storage {key[:100]!r} has a bad key or length")
        storage = Storage(key, np.dtype(_DTYPES[kind]), length)
        if self.storages.setdefault(key, storage) != storage:
            raise NotConverted(f"its storage {key} is described in two ways")
        return storage

    def _tensor(self, arguments: tuple[Any, ...]) -> Any:  # noqa: ANN401 - or INERT
        match arguments:
            case (Storage() as storage, offset, tuple(shape), tuple(strides), *_):
                tensor = Tensor(storage, offset, shape, strides)
            case (storage, *_) if storage is INERT:
                return INERT
            case _:
                raise NotConverted("it has a tensor that is no view of a storage")
        self.tensors += 1
        if self.tensors > MOST_TENSORS:
            raise NotConverted(f"it has more than {MOST_TENSORS:,} tensors")
        _require_inside(tensor)
        return tensor


def _require_inside(tensor: Tensor) -> None:
    """Raise NotConverted unless the storage has the tensor's numbers, and as many."""
    if len(tensor.shape) != len(tensor.strides) or len(tensor.shape) > _MOST_AXES:
        raise NotConverted(f"it has a tensor of {len(tensor.shape)} axes")
    numbers = (tensor.offset, *tensor.shape, *tensor.strides)
    if not all(type(number) is int and number >= 0 for number in numbers):
        raise NotConverted("it has a tensor with a size, stride or offset that is no count")
    axes = zip(tensor.shape, tensor.strides, strict=True)
    last = tensor.offset + sum((size - 1) * stride for size, stride in axes)
    if tensor.numbers > tensor.storage.length or (tensor.numbers and last >= tensor.storage.length):
        raise NotConverted("it has a tensor that reaches beyond its storage")

"""Open the two forms of a checkpoint file: a zip archive, and what PyTorch wrote before 1.6.

Both have a pickle and, next to it, the bytes of storages, to which its persistent ids refer.
"""

from __future__ import annotations

import io
import re
import struct
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, Final, NamedTuple

import numpy as np

from containers.model_downloader.conversion.pickled import Meaning, NotConverted, read_pickle

MOST_PICKLED: Final = 16 * 2**20  # bytes
MOST_ENTRIES: Final = 20_000
_LARGEST_READ: Final = 4 * 2**20  # bytes at once: an archive's directory, for example
_CHUNK: Final = 2**20
_ZIP: Final = b"PK\x03\x04"
_MAGIC: Final = 0x1950A86A20F9469CFC6C  # of PyTorch's legacy format
_LEGACY_PROTOCOL: Final = 1001
_ENCRYPTED: Final = 0x1
_COUNT: Final = struct.Struct("<q")
_PICKLE: Final = re.compile(r"[^/\\]+/data\.pkl")
# What zipfile raises for a damaged archive, besides its own error.
_DAMAGED: Final = (
    zipfile.BadZipFile, EOFError, NotImplementedError, OverflowError, RuntimeError, ValueError,
    struct.error,
)  # fmt: skip


class Storage(NamedTuple):
    """A run of `length` numbers of one type, as the pickle names it."""

    key: str
    dtype: np.dtype[Any]
    length: int

    @property
    def size(self) -> int:
        """The size in bytes."""
        return self.length * self.dtype.itemsize


@contextmanager
def open_file(path: Path) -> Iterator[Zip | Legacy]:
    """Open a checkpoint of either form. It raises NotConverted for a damaged file."""
    with path.open("rb") as stream:
        if stream.read(len(_ZIP)) != _ZIP:
            yield Legacy(stream, path.stat().st_size)
            return
        bounded = _Bounded(stream, path.stat().st_size)
        with _named_damage():
            archive = zipfile.ZipFile(bounded)
        with archive:
            yield Zip.of(archive)


@contextmanager
def _named_damage() -> Iterator[None]:
    try:
        yield
    except _DAMAGED as error:
        raise NotConverted(f"its archive is damaged: {str(error)[:100]}") from error


class _Bounded(io.RawIOBase):
    """A file for `zipfile`, which would read a directory of any size at once."""

    def __init__(self, stream: IO[bytes], size: int) -> None:
        super().__init__()
        self._stream, self._size = stream, size

    def seekable(self) -> bool:
        return True

    def readable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._stream.tell()

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self.tell(), io.SEEK_END: self._size}[whence]
        if not 0 <= base + offset <= self._size:
            raise NotConverted("its archive names a place outside the file")
        return self._stream.seek(base + offset)

    def read(self, size: int | None = -1) -> bytes:
        left = self._size - self.tell()
        wanted = left if size is None or size < 0 else min(size, left)
        if wanted > _LARGEST_READ:
            raise NotConverted(f"its archive has a directory of {wanted:,} bytes")
        return self._stream.read(wanted)


@dataclass(frozen=True)
class Zip:
    """`NAME/data.pkl`, and each storage in `NAME/data/KEY`; nothing is compressed or unpacked."""

    archive: zipfile.ZipFile
    entries: Mapping[str, zipfile.ZipInfo]
    folder: str

    @classmethod
    def of(cls, archive: zipfile.ZipFile) -> Zip:
        infos = archive.infolist()
        entries = {info.filename: info for info in infos}
        if len(infos) > MOST_ENTRIES:
            raise NotConverted(f"its archive has more than {MOST_ENTRIES:,} entries")
        if len(entries) < len(infos):
            raise NotConverted("its archive has two entries of one name")
        pickles = [name for name in entries if _PICKLE.fullmatch(name)]
        if len(pickles) != 1:
            raise NotConverted(f"its archive has {len(pickles)} pickles called data.pkl")
        opened = cls(archive, entries, pickles[0].removesuffix("data.pkl"))
        opened._require_little_endian()
        return opened

    def value(self, meaning: Meaning) -> Any:  # noqa: ANN401 - any value
        """Return the value of the pickle."""
        content = self._content("data.pkl", most=MOST_PICKLED)
        return read_pickle(io.BytesIO(content), meaning)

    def read(self, storage: Storage, storages: Mapping[str, Storage]) -> bytes:  # noqa: ARG002 - as Legacy
        """Return the storage's bytes."""
        content = self._content(f"data/{storage.key}", most=storage.size)
        if len(content) != storage.size:
            raise NotConverted(f"its storage {storage.key} has {len(content):,} bytes")
        return content

    def _require_little_endian(self) -> None:
        if f"{self.folder}byteorder" not in self.entries:
            return
        order = self._content("byteorder", most=_CHUNK)
        if order != b"little":
            raise NotConverted("its numbers are not little-endian")

    def _content(self, name: str, *, most: int) -> bytes:
        info = self.entries.get(f"{self.folder}{name}")
        if info is None:
            raise NotConverted(f"its archive has no {name[:100]}")
        if info.compress_type != zipfile.ZIP_STORED or info.flag_bits & _ENCRYPTED:
            raise NotConverted(f"its archive has {name[:100]} compressed or encrypted")
        if info.file_size > most:
            raise NotConverted(f"its {name[:100]} has {info.file_size:,} bytes; {most:,} may be")
        with _named_damage(), self.archive.open(info) as file:
            return b"".join(iter(lambda: file.read(_CHUNK), b""))


class Legacy:
    """Five pickles (a number, a version, the machine, the value, keys), then storage by storage."""

    def __init__(self, stream: IO[bytes], size: int) -> None:
        stream.seek(0)
        self._stream, self._size = stream, size
        self._pickles = io.BytesIO(stream.read(MOST_PICKLED))
        self._places: dict[str, int] = {}

    def value(self, meaning: Meaning) -> Any:  # noqa: ANN401 - any value
        """Return the value of the fourth pickle."""
        magic, protocol = read_pickle(self._pickles), read_pickle(self._pickles)
        if magic != _MAGIC or protocol != _LEGACY_PROTOCOL:
            raise NotConverted("it is neither of PyTorch's formats")
        machine = read_pickle(self._pickles)
        if not isinstance(machine, dict) or machine.get("little_endian") is not True:
            raise NotConverted("its numbers are not little-endian")
        return read_pickle(self._pickles, meaning)

    def read(self, storage: Storage, storages: Mapping[str, Storage]) -> bytes:
        """Return the storage's bytes. `storages` has all that the pickle names, by key."""
        if not self._places:
            self._places = self._found(storages)
        if storage.key not in self._places:
            raise NotConverted(f"it has no storage {storage.key}")
        self._stream.seek(self._places[storage.key])
        if self._stream.read(_COUNT.size) != _COUNT.pack(storage.length):
            raise NotConverted(f"its storage {storage.key} has another length than its pickle says")
        return self._stream.read(storage.size)

    def _found(self, storages: Mapping[str, Storage]) -> dict[str, int]:
        """Return where each storage begins: with its length."""
        keys = read_pickle(self._pickles)
        if not isinstance(keys, list) or not all(isinstance(key, str) for key in keys):
            raise NotConverted("its storages have no list of keys")
        if len(set(keys)) < len(keys) or set(keys) != set(storages):
            raise NotConverted("its storages are not those that its pickle names")
        places, place = {}, self._pickles.tell()
        for key in keys:
            places[key] = place
            place += _COUNT.size + storages[key].size
            if place > self._size:
                raise NotConverted(f"its storage {key} ends outside the file")
        return places

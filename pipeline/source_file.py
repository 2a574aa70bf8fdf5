"""Read a stored object as a file, in ranges: nothing of it is stored on disk."""

from __future__ import annotations

import io
import os
from collections import OrderedDict
from typing import Final

from pipeline.artifacts import ArtifactStore, Location
from pipeline.contracts.contract import Source
from pipeline.workbench import named_source_errors

# A film's sound lies between its pictures, all over the file. Smaller blocks would skip some of the
# pictures, but cost a request each, of which every one takes as long as a megabyte.
BLOCK_BYTES: Final = 4 * 2**20
_MOST_BLOCKS: Final = 4  # some files have their index, or each track, in a place of its own


class StoredFile(io.RawIOBase):
    """An object of `count` bytes, as a seekable file that keeps its latest blocks in memory.

    Reading raises what `ArtifactStore.read_range` does.
    """

    def __init__(self, store: ArtifactStore, location: Location, *, count: int, etag: str) -> None:
        super().__init__()
        self._store = store
        self._location = location
        self._count = count
        self._etag = etag
        self._at = 0
        self._blocks: OrderedDict[int, bytes] = OrderedDict()

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._at

    def seek(self, offset: int, whence: int = os.SEEK_SET, /) -> int:
        base = {os.SEEK_SET: 0, os.SEEK_CUR: self._at, os.SEEK_END: self._count}[whence]
        if base + offset < 0:
            raise ValueError(f"cannot seek to {base + offset}")
        self._at = base + offset
        return self._at

    def readinto(self, buffer: memoryview, /) -> int:  # type: ignore[override]
        """Fill the buffer, or as much of it as one block and the file have."""
        if self._at >= self._count:
            return 0
        number, start = divmod(self._at, BLOCK_BYTES)
        part = self._block(number)[start : start + len(buffer)]
        buffer[: len(part)] = part
        self._at += len(part)
        return len(part)

    def _block(self, number: int) -> bytes:
        if number not in self._blocks:
            if len(self._blocks) == _MOST_BLOCKS:  # in time: memory holds no more
                self._blocks.popitem(last=False)
            self._blocks[number] = self._fetched(number * BLOCK_BYTES)
        self._blocks.move_to_end(number)
        return self._blocks[number]

    def _fetched(self, start: int) -> bytes:
        count = min(BLOCK_BYTES, self._count - start)
        return self._store.read_range(self._location, start, count, etag=self._etag)


class SourceFile(StoredFile):
    """The inspected bytes of an uploaded object.

    Reading raises an error of a Source… name, as `read_source` does, or StoreUnavailable.
    """

    def __init__(self, store: ArtifactStore, source: Source) -> None:
        super().__init__(store, source.location, count=source.bytes, etag=source.etag)

    def _fetched(self, start: int) -> bytes:
        missing = f"{self._location.uri} was deleted while its execution was running"
        with named_source_errors(self._location, missing=missing):
            return super()._fetched(start)

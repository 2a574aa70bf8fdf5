"""Segments: immutable safetensors files of rows, checked whole before a row is read.

Nothing is unpickled, and faiss's own files are never read: crafted ones corrupt memory.
"""

from __future__ import annotations

import hashlib
import json
import secrets
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save_file

from containers.vector_index.stored.digests import BYTES
from containers.vector_index.stored.head import Head, ObjectGone, Segment
from containers.vector_index.stored.places import Places
from containers.vector_index.stored.rows import Rows, as_keys
from pipeline.errors import SegmentMismatch

_MOST_HEADER: Final = 4096  # bytes; the nine tensors take about 800
_NORMS: Final = (0.99, 1.01)
_CHUNK: Final = 8192  # rows, in float32
_TYPES: Final[Mapping[str, tuple[str, type[np.generic]]]] = {
    "vectors": ("F16", np.float16),
    "ids": ("U8", np.uint8),
    "person": ("U8", np.uint8),
    "photo": ("U8", np.uint8),
    "object": ("U8", np.uint8),
    "enrolled_at": ("I64", np.int64),
    "asked_at": ("I64", np.int64),
    "facts": ("U8", np.uint8),
    "ends": ("I64", np.int64),
}


def write_segment(places: Places, head: Head, rows: Rows, *, dead: int = 0) -> Segment:
    """Store at least one row as a new segment of a collection; no head names it yet.

    `dead` of them are killed by the head's rules. No two segments are the same object, so a writer
    may erase its own.
    """
    folder = _folder(places, head)
    partial = folder / f"new-{secrets.token_hex(8)}"
    try:
        # One entry of metadata: the library writes several in an order that changes.
        save_file(dict(rows.arrays()), partial, metadata={"nonce": secrets.token_hex(16)})
        sha256, size = _sha256(partial), partial.stat().st_size
        places.store.upload(partial, places.segment(head.name, sha256), sha256=sha256)
        partial.replace(folder / f"{sha256}.safetensors")
    finally:
        partial.unlink(missing_ok=True)
    return Segment(
        sha256=sha256,
        bytes=size,
        rows=len(rows),
        oldest=int(rows.enrolled_at.min()),
        newest=int(rows.enrolled_at.max()),
        dead=dead,
    )


def read_segment(places: Places, head: Head, segment: Segment) -> Rows:
    """Return the rows of a segment, mapped from a checked copy on disk.

    Raises ObjectGone if the object is not there, and SegmentMismatch if it is not what the head
    says.
    """
    path = _folder(places, head) / f"{segment.sha256}.safetensors"
    try:
        return map_segment(path, head, segment)
    except FileNotFoundError:
        return _download(places, head, segment, path)


def map_segment(path: Path, head: Head, segment: Segment) -> Rows:
    """Return the rows of a segment's file.

    Raises FileNotFoundError, and SegmentMismatch for any other file.
    """
    try:
        arrays = _mapped(path)
        rows = Rows(head.id, **arrays)
        _check_shapes(rows, head, segment)
    except FileNotFoundError:
        raise
    except (SafetensorError, OSError, ValueError, KeyError, TypeError) as error:
        raise SegmentMismatch(f"{segment.sha256}.safetensors is not a segment: {error}") from None
    return rows


def erase_segment(places: Places, head: Head, segment: Segment) -> None:
    """Delete a segment, in every version, and its copy on disk."""
    places.store.erase(places.segment(head.name, segment.sha256))
    (_folder(places, head) / f"{segment.sha256}.safetensors").unlink(missing_ok=True)


def keep_only(places: Places, head: Head) -> None:
    """Delete the copies of segments that a head no longer names."""
    named = {f"{each.sha256}.safetensors" for each in head.segments}
    for path in _folder(places, head).glob("*.safetensors"):
        if path.name not in named:
            path.unlink(missing_ok=True)


def _folder(places: Places, head: Head) -> Path:
    folder = places.scratch / head.id
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    return folder


def _download(places: Places, head: Head, segment: Segment, path: Path) -> Rows:
    """Fetch and check a segment; delete the copies of those that it may have replaced."""
    place = places.segment(head.name, segment.sha256)
    partial = path.with_name(f"partial-{secrets.token_hex(8)}")
    digest, size = hashlib.sha256(), 0
    try:
        with partial.open("wb") as out:
            for chunk in places.store.stream(place):
                digest.update(chunk)
                size += len(chunk)
                if size > segment.bytes:
                    break
                out.write(chunk)
        if (size, digest.hexdigest()) != (segment.bytes, segment.sha256):
            raise SegmentMismatch(f"{place.uri} is not what the head of {head.name} says")
        rows = map_checked(partial, head, segment)
        partial.replace(path)
    except KeyError:
        raise ObjectGone(place.uri) from None
    finally:
        partial.unlink(missing_ok=True)
    keep_only(places, head)
    return rows


def map_checked(path: Path, head: Head, segment: Segment) -> Rows:
    """Return the rows of a segment's file after a look at every value."""
    rows = map_segment(path, head, segment)
    try:
        _check_values(rows, segment)
    except ValueError as error:
        raise SegmentMismatch(f"{segment.sha256}.safetensors is not a segment: {error}") from None
    return rows


def _mapped(path: Path) -> dict[str, npt.NDArray[Any]]:
    """Return the tensors of a file, mapped. The library has checked that they fill it."""
    with path.open("rb") as file:
        length = int.from_bytes(file.read(8), "little")
        if not 0 < length <= _MOST_HEADER:
            raise ValueError(f"its header has {length:,} bytes")
        said = file.read(length)
    with safe_open(path, framework="np") as checked:
        names = set(checked.keys())
    if names != _TYPES.keys():
        raise ValueError(f"it has the tensors {', '.join(sorted(names))}")
    header = json.loads(said)
    arrays: dict[str, npt.NDArray[Any]] = {}
    for name, (word, dtype) in _TYPES.items():
        if header[name]["dtype"] != word:
            raise ValueError(f"{name} is {header[name]['dtype']}, not {word}")
        shape, start = tuple(header[name]["shape"]), header[name]["data_offsets"][0]
        if 0 in shape:
            raise ValueError(f"{name} is empty")
        arrays[name] = np.memmap(path, dtype, "r", offset=8 + length + start, shape=shape)
    return arrays


def _check_shapes(rows: Rows, head: Head, segment: Segment) -> None:
    count, dimension = segment.rows, head.dimension
    wanted = {
        "vectors": (count, dimension),
        **dict.fromkeys(("ids", "person", "photo", "object"), (count, BYTES)),
        **dict.fromkeys(("enrolled_at", "asked_at", "ends"), (count,)),
        "facts": (int(rows.facts.size),),
    }
    for name, array in rows.arrays():
        if array.shape != wanted[name]:
            raise ValueError(f"{name} is {array.shape}, not {wanted[name]}")


def _check_values(rows: Rows, segment: Segment) -> None:
    for start in range(0, len(rows), _CHUNK):
        lengths = np.linalg.norm(rows.vectors[start : start + _CHUNK].astype(np.float32), axis=1)
        # NaN and infinity are in no range
        if not ((lengths >= _NORMS[0]) & (lengths <= _NORMS[1])).all():
            raise ValueError("a vector has not the length 1")
    starts, ends = rows.ends[:-1], rows.ends[1:]  # differences could overflow
    if rows.ends[0] <= 0 or (ends <= starts).any() or rows.ends[-1] != rows.facts.size:
        raise ValueError("the ends of its facts are out of order")
    if np.unique(as_keys(rows.ids)).size != len(rows):
        raise ValueError("two rows have the same id")
    if (int(rows.enrolled_at.min()), int(rows.enrolled_at.max())) != (
        segment.oldest,
        segment.newest,
    ):
        raise ValueError("its times are not those of the head")
    if (rows.asked_at < 0).any():
        raise ValueError("a row was asked for before 1970")


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()

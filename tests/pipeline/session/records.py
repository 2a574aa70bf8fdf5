"""Output files and output records, as a batch leaves them in a folder."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path

from pipeline.session.naming import identity


def describe(content: bytes) -> dict[str, object]:
    return {"sha256": hashlib.sha256(content).hexdigest(), "bytes": len(content)}


def record_of(photo: Path, pictures: Mapping[str, bytes], *, job: str = "0123abcd" * 4) -> bytes:
    """Return the output record of a photo; `pictures` has their contents by suffix."""
    stem = f"run-1/0/{identity(photo)}/{photo.stem}"
    source = photo.read_bytes() if photo.is_file() else b""
    made = [
        {"kind": "cutout", "uri": f"s3://output/{stem}{suffix}", **describe(content)}
        for suffix, content in pictures.items()
    ]
    record = {
        "schema": 1,
        "product": "cutout",
        "job_id": job,
        "source": {"bucket": "ingest", "key": f"{stem}{photo.suffix}", **describe(source)},
        "pictures": made,
    }
    return json.dumps(record).encode()


def leave_transcript(
    output: Path, name: str, recording: Path, *, text: bytes, **more: bytes
) -> None:
    """Write a recording's outputs under a name, and their record."""
    stem = f"run-1/0/{identity(recording)}/{recording.stem}"
    contents = {"_transcript.txt": text}
    contents |= {f"_{kind.replace('__', '.')}": content for kind, content in more.items()}
    for suffix, content in contents.items():
        (output / f"{name}{suffix}").write_bytes(content)
    record = {
        "schema": 1,
        "product": "transcript",
        "job_id": "89abcdef" * 4,
        "source": {"key": f"{stem}{recording.suffix}", **describe(recording.read_bytes())},
        "recording": {"duration_s": 750.4},
        "languages": ["de", "en"],
        "words": 1234,
        "files": [
            {"kind": "text", "uri": f"s3://output/{stem}{suffix}", **describe(content)}
            for suffix, content in contents.items()
        ],
    }
    (output / f"{name}_transcript.record.json").write_text(json.dumps(record))


def leave_faces(output: Path, name: str, photo: Path, **files: bytes) -> None:
    """Write the files of a photo's faces under a name, and their record."""
    stem = f"run-1/0/{identity(photo)}/{photo.stem}"
    contents = {f"_{kind.replace('__', '.')}": content for kind, content in files.items()}
    for suffix, content in contents.items():
        (output / f"{name}{suffix}").write_bytes(content)
    record = {
        "schema": 1,
        "product": "faces",
        "job_id": "4567cdef" * 4,
        "source": {"key": f"{stem}{photo.suffix}", **describe(photo.read_bytes())},
        "files": [
            {"uri": f"s3://output/{stem}{suffix}", **describe(content)}
            for suffix, content in contents.items()
        ],
    }
    (output / f"{name}_faces.record.json").write_text(json.dumps(record))


def leave(output: Path, name: str, photo: Path, **pictures: bytes) -> Path:
    """Write a photo's outputs under a name; return the path of their record."""
    suffixed = {f"_{kind.replace('__', '.')}": content for kind, content in pictures.items()}
    (output / name).parent.mkdir(parents=True, exist_ok=True)
    for suffix, content in suffixed.items():
        (output / f"{name}{suffix}").write_bytes(content)
    record = output / f"{name}_bg_removed.json"
    record.write_bytes(record_of(photo, suffixed))
    return record

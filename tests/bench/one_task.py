"""Do one task in this process, on a store in a folder; print its result, memory and time.

`python -m tests.bench.one_task CONTAINER STORE JOB OVERLAYS...` reads the job, a JSON file.
The process imports what the function imports, and no more. It has one thread, as a function with
one CPU has.
"""

from __future__ import annotations

import inspect
import json
import sys
import time
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from shutil import copyfile
from typing import get_type_hints

from pipeline import hardware
from pipeline.artifacts import CHUNK_BYTES, Artifact, LocalStore, Location, ObjectChanged, Stat
from pipeline.workbench import Settings, TaskContext, Workbench


class StreamingStore(LocalStore):
    """A folder that streams, as S3 does: no file is in memory as a whole."""

    def stat(self, location: Location) -> Stat:
        try:
            found = self._path(location).stat()
        except FileNotFoundError:
            raise KeyError(location.uri) from None
        return Stat(found.st_size, f"{found.st_size}-{found.st_mtime_ns}", None, {})

    def read_range(self, location: Location, start: int, count: int, *, etag: str) -> bytes:
        if self.stat(location).etag != etag:
            raise ObjectChanged(f"{location.uri} has another ETag than {etag}")
        with self._path(location).open("rb") as file:
            file.seek(start)
            return file.read(count)

    def download(self, location: Location, path: Path) -> None:
        copyfile(self._path(location), path)

    def upload(self, path: Path, location: Location, *, sha256: str) -> Artifact:
        target = self._path(location)
        target.parent.mkdir(parents=True, exist_ok=True)
        copyfile(path, target)
        return Artifact(uri=location.uri, sha256=sha256, bytes=target.stat().st_size)

    def stream(self, location: Location) -> Iterator[bytes]:
        with self._path(location).open("rb") as file:
            while part := file.read(CHUNK_BYTES):
                yield part


def main(container: str, store: str, job: str, *overlays: str) -> None:
    settings = Settings(
        scratch=Path(store).parent / "scratch",
        threads=1,
        catalogue_overlays=tuple(map(Path, overlays)),
    )
    root = Path(__file__).parents[2]
    context = TaskContext(
        Workbench(root=root, settings=settings, store=StreamingStore(Path(store)))
    )
    run = inspect.unwrap(import_module(f"containers.{container}.handler").handler)
    parsed = get_type_hints(run)["job"].model_validate_json(Path(job).read_bytes())
    started = time.process_time()
    result = run(parsed, context)
    cpu_s = time.process_time() - started
    told = {"peak_mb": hardware.peak_mb(), "cpu_s": cpu_s, "result": result.model_dump(mode="json")}
    sys.stdout.write(json.dumps(told))


if __name__ == "__main__":
    main(*sys.argv[1:])

"""Write a file to the store as it is made, with its checksum."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager

from pipeline.artifacts import Artifact, ArtifactStore, Location, Upload


class ArtifactUpload:
    """An upload that becomes an artifact when it is complete."""

    def __init__(self, upload: Upload, location: Location) -> None:
        self._upload = upload
        self._location = location
        self._sha256 = hashlib.sha256()
        self._bytes = 0

    def write(self, content: bytes) -> None:
        self._upload.write(content)
        self._sha256.update(content)
        self._bytes += len(content)

    @property
    def artifact(self) -> Artifact:
        """What was written so far."""
        return Artifact(uri=self._location.uri, sha256=self._sha256.hexdigest(), bytes=self._bytes)


@contextmanager
def uploading(store: ArtifactStore, location: Location) -> Iterator[ArtifactUpload]:
    """Yield an upload to `location`, completed at the end, or aborted by an error."""
    upload = store.begin(location)
    try:
        yield ArtifactUpload(upload, location)
        upload.complete()
    finally:
        upload.abort()

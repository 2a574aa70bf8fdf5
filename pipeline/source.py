"""The photo as it was inspected, or a named error."""

from __future__ import annotations

import hashlib

from pipeline.artifacts import ArtifactStore
from pipeline.contracts import SourcePhoto
from pipeline.errors import SourceChanged, SourceMissing


def read_source(store: ArtifactStore, source: SourcePhoto) -> bytes:
    """The inspected bytes again; SourceMissing or SourceChanged if they are no longer there."""
    uri = source.location.uri
    try:
        content = store.read(source.location)
    except KeyError:
        raise SourceMissing(f"{uri} was deleted while its execution was running") from None
    if hashlib.sha256(content).hexdigest() != source.sha256:
        raise SourceChanged(f"{uri} was replaced while its execution was running")
    return content

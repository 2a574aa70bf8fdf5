"""The kinds of words, over HTTP."""

from pathlib import Path

from containers.memo_server.kinds import Kinds, read_kinds
from pipeline.http_handler import http_handler
from pipeline.workbench import Settings


@http_handler
def handler(root: Path, _settings: Settings) -> Kinds:
    """Return the API, which answers every request with the kinds there are."""
    return read_kinds(root)

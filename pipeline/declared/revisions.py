"""Compute where a model's staged weights are stored, from its name and its files' digests.

The standard library alone, so that the platform's own functions share it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from typing import Final

MANIFEST: Final = "manifest.json"  # written last, so that its presence means the model is complete
UNSTATED: Final = "unstated"  # what a row says instead of a digest


def revision(digests: Iterable[str], quantise: str | None) -> str:
    """Return 12 hexadecimal digits that change with the model's files and precision."""
    parts = [*digests, *filter(None, [quantise])]
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:12]


def file_identity(digest: str | None, urls: Iterable[str], manifest: str | None = None) -> str:
    """Return the digest; without one, the address that the first staging takes the file from.

    The digest of the file's manifest follows, if it has one.
    """
    own = f"{UNSTATED} {next(iter(urls), '')}" if digest in {None, UNSTATED} else str(digest)
    return f"{own} {manifest}" if manifest else own


def weights_prefix(model: str, digests: Iterable[str], quantise: str | None) -> str:
    return f"{model}/{revision(digests, quantise)}"

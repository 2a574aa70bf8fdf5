"""The keys that outputs are published under: the upload's key, with a suffix for each output.

`trips/2024/cat.jpg` becomes `trips/2024/cat_bg_removed.png`, with the output record
`trips/2024/cat_bg_removed.json` next to it.
"""

from __future__ import annotations

import hashlib
from typing import Final

S3_KEY_LIMIT_BYTES: Final = 1024
LONGEST_SUFFIX_BYTES: Final = 32  # of any product, with its extension
_DIGEST_LENGTH: Final = 12


def output_stem(key: str) -> str:
    """Return the part that all outputs of a source key share: the key without its extension.

    A key too long for a suffix within S3's limit is cut between characters and ends in a digest
    of the whole key, so that two long keys never share an output.
    """
    folder, slash, name = key.rpartition("/")
    stem, dot, _ = name.rpartition(".")
    full = f"{folder}{slash}{stem if dot and stem else name}"
    room = S3_KEY_LIMIT_BYTES - LONGEST_SUFFIX_BYTES
    if len(full.encode()) <= room:
        return full
    digest = hashlib.sha256(key.encode()).hexdigest()[:_DIGEST_LENGTH]
    kept = full.encode()[: room - _DIGEST_LENGTH - 1].decode(errors="ignore")
    return f"{kept}~{digest}"

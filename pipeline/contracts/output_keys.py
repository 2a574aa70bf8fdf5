"""Which key each output of a photo is published under.

`trips/2024/cat.jpg` becomes `trips/2024/cat_bg_removed.png`, with `_mask.png`, `_preview.png`
and the manifest `_bg_removed.json` beside it.
"""

from __future__ import annotations

import hashlib
from typing import Final

S3_KEY_LIMIT_BYTES: Final = 1024
_SUFFIX: Final = {"cutout": "_bg_removed", "mask": "_mask", "preview": "_preview"}
_LONGEST_SUFFIX_BYTES: Final = len("_bg_removed.webp")
_DIGEST_LENGTH: Final = 12


def output_stem(key: str) -> str:
    """The part all outputs of a source key share: the key less its extension.

    A key so long that a suffix would pass S3's limit is cut between characters and closed
    with a digest of the whole key, so that two long names never meet in one output.
    """
    folder, slash, name = key.rpartition("/")
    stem, dot, _ = name.rpartition(".")
    full = f"{folder}{slash}{stem if dot and stem else name}"
    room = S3_KEY_LIMIT_BYTES - _LONGEST_SUFFIX_BYTES
    if len(full.encode()) <= room:
        return full
    digest = hashlib.sha256(key.encode()).hexdigest()[:_DIGEST_LENGTH]
    kept = full.encode()[: room - _DIGEST_LENGTH - 1].decode(errors="ignore")
    return f"{kept}~{digest}"


def picture_key(stem: str, *, kind: str, extension: str) -> str:
    """Where one picture of a photo is published; `kind` is cutout, mask or preview."""
    return f"{stem}{_SUFFIX[kind]}.{extension}"


def manifest_key(stem: str) -> str:
    """Where the JSON manifest of a photo is published."""
    return f"{stem}{_SUFFIX['cutout']}.json"

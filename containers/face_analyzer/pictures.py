"""An encoded picture, ready to be stored."""

from __future__ import annotations

from typing import NamedTuple


class EncodedPicture(NamedTuple):
    """The bytes of a picture, their media type, and the extension of its file name (`.jpg`)."""

    content: bytes
    media_type: str
    extension: str

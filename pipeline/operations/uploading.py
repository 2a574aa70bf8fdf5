"""Identify uploads by form, before and after they arrive. An upload needs no row."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from pipeline.operations.owned_ids import made_at, new_id

LASTS: Final = timedelta(minutes=15)  # how long a form can be sent


@dataclass(frozen=True)
class Upload:
    """An upload of one file below a caller's `prefix`. Its form can be sent until `expires_at`."""

    id: str
    prefix: str
    expires_at: datetime

    @property
    def folder(self) -> str:
        """Return what its key begins with, and no other key does."""
        return f"{self.prefix}{self.id}/"


def new_upload(prefix: str, now: datetime) -> Upload:
    """Return an upload with a new id; `now` is cut to whole seconds."""
    return Upload(new_id(prefix, now), prefix, now.replace(microsecond=0) + LASTS)


def read_upload(written: str, prefix: str) -> Upload | None:
    """Return the upload with this id; None for any text that was not made for this prefix."""
    made = made_at(written, prefix)
    return Upload(written, prefix, made + LASTS) if made else None
